import type { SamplerName } from "../diffusion/create.ts";
import type { Device } from "../runtime/device.ts";

/** Every setting of a run, resolved: what config.json holds and what a worker is sent. Plain JSON. */
export interface TrainSettings {
  /** A diffusers folder. */
  readonly model: string;
  /** Of the model's weights, such as "fp16"; absent: the plain files. */
  readonly variant?: string | undefined;
  /** A transformers folder with an ALIGN model. */
  readonly reward: string;
  /** The folder with the photos. */
  readonly images: string;
  /** The name of a photo there that is not trained on, to judge by. */
  readonly holdOut?: string | undefined;
  /** The subject's class word, such as "dog". */
  readonly class: string;
  /** The identifier in the prompts, tokenized literally; the reward never sees it. */
  readonly token: string;
  readonly output: string;
  readonly adapter: "lora" | "full";
  readonly rank: number;
  readonly loraAlpha: number;
  readonly targets: Targets;
  readonly learningRate: number;
  readonly steps: number;
  /** Pictures' side in pixels. */
  readonly resolution: number;
  /** "center" cuts the middle square out of each photo, "none" squeezes the whole photo into a square. */
  readonly crop: "center" | "none";
  readonly beta: number;
  readonly condition: Condition;
  readonly labels: "sampled" | "soft";
  /** Factor on the difference of rewards in a label's sigmoid. */
  readonly rewardScale: number;
  /** Pictures of the starting model for each training prompt. */
  readonly negatives: number;
  /** lambda_val: the weight of picture against text alignment in validation and selection. */
  readonly lambda: number;
  readonly validateEvery: number;
  /** Pictures for each validation prompt. */
  readonly validationImages: number;
  /** Sampler steps of negatives and validation pictures. */
  readonly validationSteps: number;
  /** The sampler of negatives and validation pictures. */
  readonly sampler: SamplerName;
  /** Classifier-free guidance of negatives and validation pictures; 1 or less is none. */
  readonly guidance: number;
  /** Validations without a better reward before training stops. */
  readonly patience: number;
  /** False: L_sim alone. */
  readonly preference: boolean;
  /** False: train all steps whatever the reward does. */
  readonly earlyStopping: boolean;
  /** A file with prompts of one's own; absent: the authors' eight for objects or live subjects. */
  readonly prompts?: string | undefined;
  readonly memory: "normal" | "low";
  readonly threads: number;
  readonly seed: number;
  /** Where the graphs run. */
  readonly device: Device;
}

/** The conditioning of the photo in the margin: the paper's modifier prompt, or the plain prompt as in the authors' script. */
export type Condition = "modifier" | "prompt";

/** Settings whose defaults depend on the model may be left open. */
export type TrainRequest = Omit<TrainSettings, "learningRate" | "resolution"> &
  Partial<Pick<TrainSettings, "learningRate" | "resolution">>;

/** Which linear layers of the U-Net a LoRA adapts: the attention's projections, or the feed-forward layers too. */
export type Targets = "attention" | "attention+ff";

/** Diffusers folders: 5e-6 for all weights, 1e-4 for a LoRA. */
export const DEFAULT_LEARNING_RATE = { full: 5e-6, lora: 1e-4 } as const;

/** Defaults of everything that has one whatever the model; the paper's where it gives one. */
export const TRAIN_DEFAULTS = {
  token: "[V]",
  adapter: "lora",
  rank: 16,
  loraAlpha: 16,
  targets: "attention",
  steps: 400,
  crop: "center",
  beta: 1,
  condition: "modifier",
  labels: "sampled",
  rewardScale: 1,
  negatives: 4,
  lambda: 0.5,
  validateEvery: 40,
  validationImages: 4,
  validationSteps: 20,
  sampler: "dpm",
  guidance: 7.5,
  patience: 3,
  preference: true,
  earlyStopping: true,
  memory: "normal",
  seed: 0,
  device: "cpu",
} as const satisfies Partial<TrainSettings>;
