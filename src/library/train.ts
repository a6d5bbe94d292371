import { runTraining } from "../engine/training.ts";
import type { CostEstimate, RunEvent } from "../runs/events.ts";
import type { Control, WorkEvent } from "./control.ts";
import { programOf } from "./inside/program.ts";
import { givenOf } from "./inside/given.ts";
import type { Sampler } from "./pipeline.ts";
import { inText } from "./inside/in-text.ts";

/** What a training tells: the lines of its `events.jsonl`, its progress, and what it will cost. */
export type TrainEvent =
  | RunEvent
  | WorkEvent
  | (CostEstimate & {
      /** What it will cost, once, before long work. */
      readonly type: "estimate";
    });

/** Settings of {@link train}: those of `rpo train`, with its names and defaults. */
export interface TrainOptions extends Control<TrainEvent> {
  /** The folder with the photos, 4 to 6 of them. */
  readonly images: string;
  /** What the subject is, such as `dog`. */
  readonly class: string;
  /** The identifier in the prompts. Default `[V]`. */
  readonly token?: string | undefined;
  /** Whether the default prompts have the subject wear outfits and swim. Default: by the class word. */
  readonly subject?: "live" | "object" | undefined;
  /**
   * A diffusers folder, a `.safetensors` file in the original layout, a name on the hub (`owner/name[@revision]`, `sd15`, `sd21`, `sdxl`),
   * or `tiny`, the embedded miniature. Default `tiny`.
   */
  readonly model?: string | undefined;
  /** Of the model's weights, such as `fp16`. Default: the plain files. */
  readonly variant?: string | undefined;
  /** Another VAE: a diffusers folder, a `.safetensors` file or a name on the hub. Default: the model's. */
  readonly vae?: string | undefined;
  /** What the U-Net's output means: `v-zsnr` is v on a schedule of zero terminal SNR. Default: as the model says. */
  readonly prediction?: "epsilon" | "v" | "v-zsnr" | undefined;
  /** An ALIGN model: a transformers folder, a name on the hub, or `tiny`. Default `kakaobrain/align-base`; with the embedded model `tiny`. */
  readonly reward?: string | undefined;
  /** The run's folder. Default: `runs/<class>-<n>`. */
  readonly output?: string | undefined;
  /** How it is taught: a name that `rpo train --help` lists. Default `rpo`. */
  readonly method?: string | undefined;
  /** Settings that were published for the method, where no option says another: a name that `rpo train --help` lists. Default: none. */
  readonly preset?: string | undefined;
  /** What a method other than RPO has settings of, by the names that `rpo train --help` lists under it: `{ priorWeight: 0.5 }`. */
  readonly methodSettings?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** What trains: a LoRA, or all of the U-Net. Default `lora`. */
  readonly adapter?: "lora" | "full" | undefined;
  /** Of the LoRA. Default 16. */
  readonly rank?: number | undefined;
  /** The LoRA is scaled by alpha / rank. Default 16. */
  readonly loraAlpha?: number | undefined;
  /** The layers that a LoRA adapts. Default `attention`. */
  readonly targets?: "attention" | "attention+ff" | undefined;
  /** The learning rate. Default: the model's own; else 1e-4 for a LoRA, 5e-6 for the whole U-Net. With Prodigy 1. */
  readonly lr?: number | undefined;
  /** What updates the weights: AdamW, or Prodigy, which finds the learning rate by itself. Default `adamw`. */
  readonly optimizer?: "adamw" | "prodigy" | undefined;
  /** With Prodigy: times which its estimate counts. Default 1. */
  readonly dCoef?: number | undefined;
  /** With Prodigy: by how much its estimate may grow in a step at most. Default: no bound. */
  readonly growthRate?: number | undefined;
  /** Gives the text encoders a LoRA too, of the same rank and alpha, which trains with the U-Net's. Default false. */
  readonly trainTextEncoder?: boolean | undefined;
  /** The learning rate of the text encoders' LoRA. Default: `lr`. */
  readonly textEncoderLr?: number | undefined;
  /** 0 to 1: adds so much of one random number a channel to the noise, for pictures darker or brighter than most. Default 0. */
  readonly noiseOffset?: number | undefined;
  /** The name of a photo that is not trained on, to judge by with {@link evaluate}. Default: all are. */
  readonly holdOut?: string | undefined;
  /** Texts beside the photos (`photo.txt`), in the place of their prompt. Default `off`. */
  readonly captions?: "off" | "auto" | "on" | undefined;
  /** Shows every other photo mirrored, by chance. Default false. */
  readonly flip?: boolean | undefined;
  /** Learns from where the photos' masks are white: `photo.mask.png` beside them, or their transparency. Default false. */
  readonly maskedLoss?: boolean | undefined;
  /** 0 to 1: with masks, how much the rest of a photo counts. Default 0. */
  readonly maskOutside?: number | undefined;
  /** Photos that go through the model together in a step. Default 1. */
  readonly batch?: number | undefined;
  /** So many times are the gradients of a batch added up before a step. Default 1. */
  readonly accumulate?: number | undefined;
  /** Of the learning rate. Default `constant`. */
  readonly schedule?: "constant" | "cosine" | undefined;
  /** Steps in which the learning rate rises from 0. Default 0. */
  readonly warmup?: number | undefined;
  /** Weighs the photos' loss by min(SNR, this) / SNR. Default: all timesteps alike. */
  readonly minSnr?: number | undefined;
  /** At most so many. Default 400. */
  readonly steps?: number | undefined;
  /** Side of the pictures in pixels. Default: the model's. */
  readonly resolution?: number | undefined;
  /** `center` cuts a square out of each photo, `none` squeezes it, `bucket` trains it in the shape of about its own aspect ratio. Default `center`. */
  readonly crop?: "center" | "none" | "bucket" | undefined;
  /** How steep the preference is. Default 1. */
  readonly beta?: number | undefined;
  /** The photo's prompt in the margin: `modifier` as in the paper, `prompt` as in the authors' script. Default `modifier`. */
  readonly condition?: "modifier" | "prompt" | undefined;
  /** Labels are sampled, or their expectation is taken, or they are ½ whatever the reward. Default `sampled`. */
  readonly labels?: "sampled" | "soft" | "fixed" | undefined;
  /** Factor on reward differences in labels. Default 1. */
  readonly rewardScale?: number | undefined;
  /** 0 to 1: how much likeness counts against the prompt in labels; above 0 both are calibrated. Default 0. */
  readonly trainLambda?: number | undefined;
  /** How much the preference counts beside the photos' loss. Default 1. */
  readonly preferenceWeight?: number | undefined;
  /** How much it costs that the photo gets worse than it was with the margin's prompt. Default 0. */
  readonly photoFloor?: number | undefined;
  /** Pictures of the starting model for each training prompt. Default 4. */
  readonly negatives?: number | undefined;
  /** 0 to 1: how much likeness counts against the prompt when the checkpoint is chosen. Default 0.5. */
  readonly lambda?: number | undefined;
  /** `harmonic` as in the paper, or `calibrated` by what the run measures of its photos and the starting model. Default `harmonic`, or the model's own. */
  readonly rewardForm?: "harmonic" | "calibrated" | undefined;
  /** Steps between validations. Default 40. */
  readonly validateEvery?: number | undefined;
  /** Pictures for each validation prompt. Default 4. */
  readonly validationImages?: number | undefined;
  /** Sampler steps of negatives and validation pictures. Default 20. */
  readonly validationSteps?: number | undefined;
  /** Of negatives and validation pictures. Default `dpm`. */
  readonly sampler?: Sampler | undefined;
  /** Of negatives and validation pictures; 1 or less is none. Default 7.5, or the model's own. */
  readonly guidance?: number | undefined;
  /** Validations without a better reward before training stops. Default 3. */
  readonly patience?: number | undefined;
  /** False: train on the photos alone. Default true. */
  readonly preference?: boolean | undefined;
  /** False: take all steps whatever the reward does. Default true. */
  readonly earlyStopping?: boolean | undefined;
  /**
   * What ends training early: the reward, by patience; the variance of the loss on fixed draws of the photos (DVAR); or that loss on the photo
   * of `holdOut`. Default `reward`.
   */
  readonly stop?: "reward" | "variance" | "held-out" | undefined;
  /** Of `stop: "variance"`: how small a part of all of that loss's variance the last steps' is to be. Default 0.15. */
  readonly stopThreshold?: number | undefined;
  /** Of `stop: "variance"`: how many of the last steps. Default 200. */
  readonly stopWindow?: number | undefined;
  /** Steps from one measurement of that loss to the next. Default 10. */
  readonly stopEvery?: number | undefined;
  /** A file with training and validation prompts. Default: the model's, else the authors'. */
  readonly prompts?: string | undefined;
  /** `low` computes activations again instead of holding them. Default `normal`. */
  readonly memory?: "normal" | "low" | undefined;
  /** Default: one a core. */
  readonly threads?: number | undefined;
  /** Of all that is random. Default 0. */
  readonly seed?: number | undefined;
  /** Where it computes. Default `auto`: a GPU that works and is faster than the processor, else `cpu`. */
  readonly device?: "auto" | "cpu" | "cuda" | "webgpu" | "openvino" | undefined;
  /**
   * `float32`; `tf32` for products on NVIDIA's tensor cores, `bfloat16` with `openvino`; `float16` to hold the U-Net's matrices in half
   * precision where they do not train; or `mixed-float16` to compute in it too, as PyTorch's autocast does. Default: `tf32` with `cuda`, else `float32`.
   */
  readonly precision?: "float32" | "tf32" | "bfloat16" | "float16" | "mixed-float16" | undefined;
  /** Continue the run in `output`, whose settings these must be but for more `steps`. Default false. */
  readonly resume?: boolean | undefined;
  /** Also write event files for TensorBoard into the run's folder. */
  readonly log?: "tensorboard" | undefined;
  /** Asked once, before long work and before anything is written, whether to go on at this cost. Default: go on. */
  readonly confirm?: ((estimate: CostEstimate) => boolean | Promise<boolean>) | undefined;
}

/** One of several subjects that are learnt together, for {@link train}. */
export interface SubjectOptions {
  /** The folder with its photos. */
  readonly images: string;
  /** What it is, such as `dog`. */
  readonly class: string;
  /** Its own word. Default `<new1>`, `<new2>` and so on. */
  readonly token?: string | undefined;
  /** A rare word of one token that its own begins as. Default: `ktn`, `pll` and `ucd`; a fourth subject has to have one. */
  readonly initializer?: string | undefined;
  /** A folder with pictures of its class. Default: they are drawn. */
  readonly classFolder?: string | undefined;
  /** The prompt of its photos, with `{token}` and `{class}`. Default: that of the run's prompts. */
  readonly plain?: string | undefined;
  /** Whether the default prompts have it wear outfits and swim. Default: by the class word. */
  readonly subject?: "live" | "object" | undefined;
}

/** Settings of {@link train} for several subjects at once, which Custom Diffusion learns: a list of them is in the place of one subject's. */
export interface SeveralSubjectsOptions extends Omit<
  TrainOptions,
  "images" | "class" | "token" | "subject" | "holdOut" | "method"
> {
  /** The one method that learns several subjects. */
  readonly method: "custom";
  /** Two subjects or more: the list, or a JSON file with it. */
  readonly concepts: string | readonly SubjectOptions[];
}

/** What is needed to go on with a run, for {@link train}: it has its own settings. */
export interface ResumeOptions extends Pick<TrainOptions, "onEvent" | "signal" | "confirm" | "log"> {
  /** The run's folder. */
  readonly output: string;
  /** Go on. */
  readonly resume: true;
  /** More than the run was for: it ends as the run that was begun for so many. Default: the run's. */
  readonly steps?: number | undefined;
  /** Where the run's model is now, if it has moved. */
  readonly model?: string | undefined;
  /** Where the run's reward is now, if it has moved. */
  readonly reward?: string | undefined;
  /** Where the run's photos are now, if they have moved. */
  readonly images?: string | undefined;
  /** The subjects of a run of several, if folders of theirs have moved. */
  readonly concepts?: string | readonly SubjectOptions[] | undefined;
  /** Other threads than the run's change its results in the last bits. Default: the run's. */
  readonly threads?: number | undefined;
}

/** How a training ended. */
export interface TrainResult {
  /**
   * `patience`: the reward no longer rose. `steps`: all were taken. `interrupted`: the signal was aborted, and the state saved. `declined`:
   * the cost was not accepted, and nothing was written. `finished-before`: there was nothing left to do.
   */
  readonly reason: "patience" | "loss" | "steps" | "interrupted" | "declined" | "finished-before";
  /** The last step. */
  readonly step: number;
  /** The best validation, whose checkpoint the run draws with; undefined before the first. Step 0 is the starting model. */
  readonly best:
    | {
        /** Its step. */
        readonly step: number;
        /** Its mean reward. */
        readonly reward: number;
        /** The lambda that chose it. */
        readonly lambda: number;
      }
    | undefined;
  /** The run's folder, which `loadPipeline({ adapter })` takes. */
  readonly output: string;
}

/**
 * Teaches a model a subject by reward preference optimization, and chooses the checkpoint. The engine works in a thread of its own.
 *
 * An aborted signal ends it well: the step at hand is finished or given up, the state saved, and the result's reason is `interrupted`; `resume` goes on
 * from there, or after a crash, and ends bit for bit as a run that was never stopped.
 *
 * @throws UsageError on wrong settings, photos or prompts, before anything is written; ModelError on a damaged model
 * @example
 * ```js
 * const { best, output } = await train({
 *   model: "sd15",
 *   images: "my-dog",
 *   class: "dog",
 *   onEvent(event) {
 *     if (event.type === "validation") console.log(event.step, event.reward);
 *   },
 * });
 * ```
 */
export async function train(options: TrainOptions | SeveralSubjectsOptions | ResumeOptions): Promise<TrainResult> {
  const {
    onEvent,
    signal,
    confirm,
    resume = false,
    log,
    methodSettings,
    ...settings
  } = { methodSettings: {}, ...options };
  signal?.throwIfAborted();
  const { resolveTraining } = await import("../commands/train/resolve.ts");
  const resolved = await resolveTraining(
    { settings: givenOf({ ...methodSettings, ...settings }), resume, log },
    programOf({ onEvent, signal }),
  );
  const result = await runTraining(resolved, {
    onEvent: inText(onEvent),
    async confirm(estimate) {
      onEvent?.({ type: "estimate", ...estimate });
      return (await confirm?.(estimate)) ?? true;
    },
    signal,
  });
  return { ...result, output: resolved.request.output };
}
