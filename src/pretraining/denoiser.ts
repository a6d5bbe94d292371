import { parseSchedulerConfig } from "../diffusion/config.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../diffusion/schedule.ts";
import { Graph } from "../graph/graph.ts";
import { mean, mul, sub } from "../graph/ops/index.ts";
import { parseClipTextConfig } from "../models/clip/config.ts";
import { clipText } from "../models/clip/text.ts";
import { parseUnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { rootScope } from "../nn/scope.ts";
import { Random } from "../tensor/random.ts";
import { float32, int32 } from "../tensor/tensor.ts";
import { CLASS_NAMES } from "../world/scene.ts";
import { initialWeights } from "./initial.ts";
import { LATENT_SHAPE, type Latents } from "./latents.ts";
import type { Course, Weights } from "./loop.ts";
import { SCHEDULER_CONFIG, TEXT_CONFIG, TEXT_LENGTH, UNET_CONFIG, UNET_RECIPE } from "./recipes.ts";

/** Prefixes of the two models' parameters in the course. */
export const DENOISER_PARTS = { unet: "unet", text: "text" } as const;

export interface DenoiserOptions {
  readonly latents: Latents;
  /** The caption of picture `index`. */
  readonly caption: (index: number) => string;
  readonly encode: (text: string) => Int32Array;
  /** Of the tokenizer: `vocab_size`, `eos_token_id` and the like. */
  readonly textIds: Readonly<Record<string, number>>;
  readonly steps?: number;
  readonly batch?: number;
  readonly initial?: Weights;
}

/** The U-Net's course, the text encoder learning with it: to tell the velocity of noisy latents from their captions. */
export function denoiserCourse(options: DenoiserOptions): Course {
  const { latents, batch = UNET_RECIPE.batch, steps = UNET_RECIPE.steps } = options;
  const schedule = noiseSchedule(parseSchedulerConfig(JSON.stringify(SCHEDULER_CONFIG), "sd", "DDIMScheduler"));
  const graph = new Graph();
  const ids = graph.input("ids", [batch, TEXT_LENGTH], "int32");
  const noisy = graph.input("noisy", [batch, ...LATENT_SHAPE]);
  const target = graph.input("target", [batch, ...LATENT_SHAPE]);
  const timestep = graph.input("timestep", [batch]);
  const textConfig = parseClipTextConfig({ ...TEXT_CONFIG, ...options.textIds }, "text");
  const text = clipText(rootScope(graph, DENOISER_PARTS.text), textConfig, ids).last;
  const predicted = unet(rootScope(graph, DENOISER_PARTS.unet), parseUnetConfig(UNET_CONFIG, "unet"), {
    sample: noisy,
    timestep,
    text,
  });
  const difference = sub(predicted, target);
  return {
    name: "sd",
    initial:
      options.initial ??
      initialWeights(graph, new Random(0).split("sd"), { zero: /(conv2|proj_out|unet\.conv_out)\.weight$/ }),
    results: { loss: mean(mul(difference, difference)) },
    steps,
    rate: UNET_RECIPE.rate,
    emaDecay: 0.9995,
    feeds(step) {
      const rng = new Random(2).split("sd", step);
      const chosen = Array.from({ length: batch }, () => rng.integer(latents.count));
      const clean = latents.batch(chosen);
      const noise = rng.split("noise").normal(clean.shape);
      const timesteps = Array.from({ length: batch }, () => logitNormal(rng, schedule.numTrainTimesteps));
      const texts = chosen.map((index) => captionFor(options.caption(index), rng));
      return {
        ids: int32(
          texts.flatMap((caption) => [...options.encode(caption)]),
          [batch, TEXT_LENGTH],
        ),
        noisy: addNoise(schedule, clean, noise, timesteps),
        target: trainingTarget(schedule, clean, noise, timesteps),
        timestep: float32(timesteps),
      };
    },
  };
}

/** A timestep whose logit is normal (Esser et al., arXiv 2403.03206, section 3.1): fewer of the nearly clean and the nearly pure noise. */
function logitNormal(rng: Random, timesteps: number): number {
  const [x] = rng.split("timestep", rng.integer(2 ** 31)).normal([1]).data;
  return Math.min(timesteps - 1, Math.floor(timesteps / (1 + Math.exp(-x))));
}

/** Identifiers such as a subject gets. They mean nothing here, so that a model that was trained on none draws the class word. */
const IDENTIFIERS = ["[V]", "[V]", "sks", "[X]", "<new>", "zwx", "ohwx", "[S]"] as const;

/** The caption, or none, or with a meaningless identifier before the class word. */
export function captionFor(caption: string, rng: Random): string {
  if (rng.bernoulli(UNET_RECIPE.withoutCaption)) return "";
  if (!rng.bernoulli(UNET_RECIPE.withIdentifier)) return caption;
  const className = CLASS_NAMES.find((name) => new RegExp(`\\b${name}\\b`).test(caption));
  if (className === undefined) return caption;
  return caption.replace(new RegExp(`\\b${className}\\b`), `${rng.choice(IDENTIFIERS)} ${className}`);
}
