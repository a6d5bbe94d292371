import { z } from "zod";
import { openService, type Service } from "../engine/services/host.ts";
import { chooseMachine } from "../commands/machine.ts";
import { checkPhoto, findPhoto } from "../commands/generate/photo.ts";
import { findSource } from "../commands/source.ts";
import { MACHINE } from "../settings/common.ts";
import { DRAWING, MOST_PICTURES, SOURCE } from "../settings/generate.ts";
import { number, prose, text, whole } from "../settings/kinds.ts";
import { parseSettings } from "../settings/parse.ts";
import { givenShape } from "../settings/setting.ts";
import type { Control } from "./control.ts";
import { programOf } from "./inside/program.ts";
import { drawnPicture } from "./inside/drawn-picture.ts";
import { givenOf } from "./inside/given.ts";
import type { DrawnPicture } from "./picture.ts";
import { inText } from "./inside/in-text.ts";

/** What to draw with, for {@link loadPipeline}: the settings of `rpo generate`. */
export interface PipelineOptions extends Control {
  /**
   * A diffusers folder, a `.safetensors` file in the original layout, a name on the hub (`owner/name[@revision]`, `sd15`, `sd21`, `sdxl`),
   * or `tiny`, the embedded miniature. Default: what the adapter was trained on, if that is a run; else `tiny`.
   */
  readonly model?: string | undefined;
  /** Of the model's weights, such as `fp16`. Default: the plain files. */
  readonly variant?: string | undefined;
  /** Another VAE: a diffusers folder, a `.safetensors` file or a name on the hub. Default: the model's, or the run's. */
  readonly vae?: string | undefined;
  /** What the U-Net's output means: `v-zsnr` is v on a schedule of zero terminal SNR. Default: as the model says, or the run. */
  readonly prediction?: "epsilon" | "v" | "v-zsnr" | undefined;
  /** What was trained: a run's folder, a LoRA's file or folder, or a fine-tuned U-Net's folder. */
  readonly adapter?: string | undefined;
  /** With an adapter of DisenBooth: a photo whose surroundings and pose are drawn, beside the prompt. */
  readonly photo?: string | undefined;
  /** How much the photo counts. Default 1. */
  readonly photoWeight?: number | undefined;
  /** How much prompts count beside the photo; 0 draws by the photo alone. Default 1. */
  readonly textWeight?: number | undefined;
  /** The CLIP that reads the photo: a transformers folder, a name on the hub, or `tiny`. Default: the run's, or the embedded one. */
  readonly imageEncoder?: string | undefined;
  /** LoRA files to add, of any program's spelling, also DoRA, LoHa and LoKr. */
  readonly loras?: readonly LoraOptions[] | undefined;
  /** Textual inversions: words that prompts may have. */
  readonly embeddings?: readonly EmbeddingOptions[] | undefined;
  /** Default: one a core. */
  readonly threads?: number | undefined;
  /** Where it computes. Default `auto`: a GPU that works and is faster than the processor, else `cpu`. */
  readonly device?: "auto" | "cpu" | "cuda" | "webgpu" | "openvino" | undefined;
  /**
   * `float32`; `tf32` for products on NVIDIA's tensor cores, `bfloat16` with `openvino`; `float16` to hold the U-Net's matrices in half
   * precision where they do not train; or `mixed-float16` to compute in it too, as PyTorch's autocast does. Default: `tf32` with `cuda`, else `float32`.
   */
  readonly precision?: "float32" | "tf32" | "bfloat16" | "float16" | "mixed-float16" | undefined;
}

/** A LoRA file to draw with. */
export interface LoraOptions {
  /** The file or folder. */
  readonly path: string;
  /** How much of it; 1, the default, is as it was trained. */
  readonly weight?: number | undefined;
}

/** A textual-inversion file: diffusers', A1111's, kohya's or OneTrainer's. */
export interface EmbeddingOptions {
  /** The file. */
  readonly path: string;
  /** What stands for it in prompts. Default: what the file says, else its name without the suffix. */
  readonly word?: string | undefined;
}

/** The samplers: DDIM, PNDM, DPM-Solver++(2M), Euler, or the checkpoint's own. */
export type Sampler = "ddim" | "pndm" | "dpm" | "euler" | "checkpoint";

/** What to draw, for {@link Pipeline.generate}. */
export interface GenerateOptions extends Control {
  /** One, or several to draw one after the other. */
  readonly prompt: string | readonly string[];
  /** What to steer away from. */
  readonly negative?: string | undefined;
  /** Reads `(word:1.4)`, `(word)` and `[word]` in prompts as weights, as A1111's web UI does, and `BREAK`. Default false. */
  readonly promptWeights?: boolean | undefined;
  /** Pictures for each prompt. Default 1. */
  readonly count?: number | undefined;
  /** Of the first picture of each prompt; the next ones count up. Default 0. */
  readonly seed?: number | undefined;
  /** Default `dpm`. */
  readonly sampler?: Sampler | undefined;
  /** Default 20. */
  readonly steps?: number | undefined;
  /** Classifier-free guidance; 1 or less is none. Default: that of the adapter's run, else the model's own, else 7.5. */
  readonly guidance?: number | undefined;
  /** In pixels. Default: what the model was trained on. */
  readonly height?: number | undefined;
  /** In pixels. Default: what the model was trained on. */
  readonly width?: number | undefined;
}

/** A model that is loaded and draws. It lives in a thread of its own, so that this one goes on while it works. */
export interface Pipeline {
  /** The side in pixels of the pictures that the model was trained on. */
  readonly resolution: number;
  /**
   * Draws pictures: `count` for each prompt, prompt after prompt. Calls wait for those before them.
   *
   * @throws UsageError on options that cannot be, ModelError on a damaged model, the signal's reason when it is aborted
   * @example
   * ```js
   * const [dog, ...others] = await pipeline.generate({ prompt: "a dog on the beach", count: 4, seed: 7 });
   * await dog.save("dog.png");
   * ```
   */
  generate(options: GenerateOptions): Promise<DrawnPicture[]>;
  /** Frees the model, once the calls so far are done. */
  release(): Promise<void>;
  /** `await using pipeline = ...` releases it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
}

const pipelineSchema = z.strictObject({
  ...givenShape({ ...SOURCE, ...MACHINE }),
  loras: z
    .array(
      z.strictObject({ path: text.given, weight: number.given.default(1) }, "expected {path, weight}"),
      "expected a list of {path, weight}",
    )
    .default([]),
  embeddings: z
    .array(z.strictObject({ path: text.given, word: text.given.optional() }), "expected a list of {path, word}")
    .default([]),
});

const generateSchema = z.strictObject({
  prompt: z.array(prose.given).min(1, "expected at least one prompt"),
  count: whole(MOST_PICTURES).given.default(1),
  ...givenShape(DRAWING),
});

/**
 * Loads a Stable Diffusion, with what was trained on top of it.
 *
 * @throws UsageError when there is no such model, ModelError when it is damaged or of a kind that is not supported
 * @example
 * ```js
 * const pipeline = await loadPipeline({ adapter: "runs/dog" });
 * try {
 *   const [picture] = await pipeline.generate({ prompt: "a [V] dog on the beach" });
 *   await picture.save("beach.png");
 * } finally {
 *   await pipeline.release();
 * }
 * ```
 */
export async function loadPipeline(options: PipelineOptions = {}): Promise<Pipeline> {
  const { onEvent, signal, ...settings } = options;
  const { loras, embeddings, threads, device, precision, ...wanted } = parseSettings(pipelineSchema, givenOf(settings));
  const program = programOf({ onEvent, signal });
  await checkPhoto(wanted);
  const { guidance, run, loras: own = [], ...source } = await findSource(wanted, program);
  const photo = await findPhoto(wanted, { ...source, run }, program);
  const machine = await chooseMachine({ device, precision, threads }, program);
  const drawing = {
    ...source,
    photo,
    token: run?.settings.token,
    loras: [...own, ...loras],
    embeddings,
    threads,
    ...machine,
  };
  const service = await openService("pipeline", drawing, { onEvent: inText(onEvent), signal });
  const release = () => service.release();
  return {
    resolution: service.facts.resolution,
    generate: (request) => generate(service, guidance, request),
    release,
    [Symbol.asyncDispose]: release,
  };
}

async function generate(
  service: Service<"pipeline">,
  usualGuidance: number,
  { onEvent, signal, prompt: wanted, ...options }: GenerateOptions,
): Promise<DrawnPicture[]> {
  const given = { ...givenOf(options), prompt: typeof wanted === "string" ? [wanted] : wanted };
  const { prompt: prompts, count, seed, guidance = usualGuidance, ...drawing } = parseSettings(generateSchema, given);
  const pictures = prompts.flatMap((prompt) => Array.from({ length: count }, (_, i) => ({ prompt, seed: seed + i })));
  const images = await service.request({ pictures, guidance, ...drawing }, { onEvent: inText(onEvent), signal });
  return images.map((image, i) => drawnPicture({ ...image, ...pictures[i] }));
}
