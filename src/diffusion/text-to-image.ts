import { Stopped } from "../runtime/backends/backend.ts";
import type { Device } from "../runtime/device.ts";
import { pixelsPerLatent, type VaeConfig } from "../models/vae/config.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { StopSignal } from "../system/work.ts";
import { Random } from "../tensor/random.ts";
import { float32, sizeOf, stack, unstack, zeros, type Float32Tensor, type Shape } from "../tensor/tensor.ts";
import type { SchedulerConfig } from "./config.ts";
import { createSampler, type SamplerName } from "./create.ts";
import { guide } from "./guidance.ts";
import { weightedSum } from "./latents.ts";
import type { TextEmbedding } from "./text-encoding.ts";
import { createUnetRunner, type AddedConditions, type UnetRunnerOptions } from "./unet-runner.ts";
import { toUnitRange, unscaleLatents, type VaeCodec } from "./vae-codec.ts";

/** Height and width in pixels. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

export interface GenerateOptions extends PictureSize {
  /** One for each picture. */
  readonly prompts: readonly TextEmbedding[];
  /** What guidance steers away from, for all or one for each picture, of its prompt's length; needed with a guidance scale above 1. */
  readonly negative?: TextEmbedding | readonly TextEmbedding[] | undefined;
  /** For each picture the seed of its noise, or that noise itself: [C, h, w] of unit variance. */
  readonly starts: readonly (number | Float32Tensor)[];
  readonly sampler: SamplerName;
  readonly steps: number;
  /** Classifier-free guidance; 1 or less is none, and takes half the time. */
  readonly guidanceScale: number;
  /** Pictures that are drawn at a time, see {@link batchesOf}. */
  readonly batch?: number;
  /** Told after each denoising step how many pictures' steps are done, and of how many. */
  readonly onStep?: ((done: number, total: number) => void) | undefined;
  /** Asked before every denoising step. */
  readonly signal?: StopSignal | undefined;
}

/** Text to picture. */
export interface Generator {
  /**
   * Latents of pictures, [C, h, w] each, as the U-Net has them.
   * @throws UsageError on a size or number of steps that the model cannot do; the signal's reason when that is aborted
   */
  denoise(options: GenerateOptions): Promise<Float32Tensor[]>;
  /** Pictures, [3, height, width] in [0, 1]. Errors as with {@link Generator.denoise}. */
  generate(options: GenerateOptions): Promise<Float32Tensor[]>;
  /** The same pictures, each batch as soon as it is drawn; nothing more is drawn when nobody asks for the next one. */
  batches(options: GenerateOptions): AsyncIterable<Float32Tensor[]>;
  /** Frees the U-Net's sessions. The VAE belongs to the caller. */
  release(): Promise<void>;
}

export interface GeneratorOptions {
  /** May be under training: see {@link UnetRunnerOptions.weights}. */
  readonly unet: Omit<UnetRunnerOptions, "session">;
  readonly vae: VaeCodec;
  readonly scheduler: SchedulerConfig;
  readonly session: UnetRunnerOptions["session"];
}

const BATCH = 4;

/**
 * Positions of latents (height x width) that fill a device: on a processor one picture of 512 pixels does, and smaller ones are faster by half
 * when several are drawn together; a GPU takes four. What is drawn together depends on nothing else, for a picture's last bits may depend on it.
 */
const POSITIONS_AT_A_TIME = {
  cpu: 64 ** 2,
  openvino: 64 ** 2,
  cuda: 4 * 64 ** 2,
  webgpu: 4 * 64 ** 2,
} as const satisfies Record<Device, number>;

/** Which pictures are drawn together: the next `batch`, as long as their prompts have as many rows. Their places, batch by batch. */
export function batchesOf(prompts: readonly Pick<TextEmbedding, "states">[], batch: number): number[][] {
  const batches: number[][] = [];
  for (const [i, { states }] of prompts.entries()) {
    const last = batches.at(-1);
    if (last !== undefined && last.length < batch && prompts[last[0]].states.shape[0] === states.shape[0]) last.push(i);
    else batches.push([i]);
  }
  return batches;
}

/** Pictures to draw at a time, of latents with so many positions. */
export function picturesAtATime(positions: number, device: Device, most: number): number {
  return Math.min(most, Math.max(1, Math.floor(POSITIONS_AT_A_TIME[device] / positions)));
}

/**
 * The text-to-image pipeline of Stable Diffusion, 1.x to XL, as diffusers runs it: noise, denoising with guidance, decoding.
 *
 * @example
 * const generator = createGenerator({ unet, vae, scheduler, session: { threads: 2 } });
 * const [picture] = await generator.generate({
 *   prompts: await encoder.encode(["a dog on the beach"]), negative: await encoder.encodeNegative(undefined), starts: [0],
 *   sampler: "dpm", steps: 20, guidanceScale: 7.5, height: 512, width: 512,
 * });
 */
export function createGenerator({ unet, vae, scheduler, session }: GeneratorOptions): Generator {
  const runner = createUnetRunner({ ...unet, session });
  const { inChannels } = unet.config;
  const factor = pixelsPerLatent(vae.config);

  /** Batches of latents. */
  async function* denoiseBatches(options: GenerateOptions): AsyncIterable<Float32Tensor[]> {
    const { prompts, starts, batch = BATCH, steps, sampler: name } = options;
    const latentShape = [inChannels, latentSide("height", options, factor), latentSide("width", options, factor)];
    if (starts.length !== prompts.length)
      throw new RangeError(`${prompts.length} prompts but ${starts.length} starting noises`);
    const total = prompts.length * createSampler(name, scheduler, steps).timesteps.length;
    let done = 0;
    for (const together of batchesOf(prompts, batch)) {
      const sampler = createSampler(name, scheduler, steps);
      const conditions = conditionsOf(together, options, unet.config.addition !== undefined);
      const noise = together.map((i) => initialNoise(starts[i], latentShape));
      let latents = weightedSum([sampler.initialNoiseScale, stack(noise)]);
      for (const [index, timestep] of sampler.timesteps.entries()) {
        options.signal?.throwIfAborted();
        const input = sampler.scaleModelInput(latents, index);
        const sample = conditions.guided ? twice(input) : input;
        const feeds = { ...conditions, sample, timestep: filled(sample.shape[0], timestep) };
        const output = await runner.predict(feeds, options.signal).catch((error: unknown) => {
          if (error instanceof Stopped) options.signal?.throwIfAborted();
          throw error;
        });
        latents = sampler.step(guided(output, conditions.guided, options.guidanceScale), index, latents);
        done += noise.length;
        options.onStep?.(done, total);
      }
      yield unstack(latents);
    }
  }

  async function* batches(options: GenerateOptions): AsyncIterable<Float32Tensor[]> {
    for await (const together of denoiseBatches(options)) {
      const pictures: Float32Tensor[] = [];
      for (const latents of together) {
        options.signal?.throwIfAborted();
        const pixels = await vae.decode(unscaleLatents(vae.config, stack([latents])));
        pictures.push(...unstack(toUnitRange(pixels)));
      }
      yield pictures;
    }
  }

  return {
    denoise: (options) => allOf(denoiseBatches(options)),
    generate: (options) => allOf(batches(options)),
    batches,
    release: () => runner.release(),
  };
}

async function allOf<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

/** The noise that a picture starts from: of its own seed alone, whatever else is drawn with it. */
export function initialNoise(start: number | Float32Tensor, shape: Shape): Float32Tensor {
  return typeof start === "number" ? new Random(start).split("latents").normal(shape) : start;
}

/** @throws UsageError on a size or a number of steps that the model cannot do, ModelError on a scheduler that is wrong: before weights are read */
export function checkDrawable(
  { height, width, sampler, steps }: Pick<GenerateOptions, keyof PictureSize | "sampler" | "steps">,
  { vae, scheduler }: { readonly vae: VaeConfig; readonly scheduler: SchedulerConfig },
): void {
  const factor = pixelsPerLatent(vae);
  latentSide("height", { height, width }, factor);
  latentSide("width", { height, width }, factor);
  createSampler(sampler, scheduler, steps);
}

function latentSide(side: keyof PictureSize, size: PictureSize, factor: number): number {
  const pixels = size[side];
  if (!Number.isInteger(pixels) || pixels < factor || pixels % factor !== 0)
    throw new UsageError(
      say`${setting(side, pixels)}: this model draws pictures whose sides are multiples of ${factor} pixels`,
    );
  return pixels / factor;
}

interface Conditions {
  readonly text: Float32Tensor;
  readonly added: AddedConditions | undefined;
  /** Whether the first half of the rows is for the negative text. */
  readonly guided: boolean;
}

/** @param together places among the prompts */
function conditionsOf(
  together: readonly number[],
  { prompts: all, negative, guidanceScale, height, width }: GenerateOptions,
  addition: boolean,
): Conditions {
  const guided = guidanceScale > 1;
  if (guided && negative === undefined) throw new RangeError("guidance needs a negative text's embedding");
  const prompts = together.map((i) => all[i]);
  const rows =
    guided && negative !== undefined
      ? [...together.map((i) => ("states" in negative ? negative : negative[i])), ...prompts]
      : prompts;
  const text = stack(rows.map(({ states }) => states));
  if (!addition) return { text, added: undefined, guided };
  const pooled = stack(rows.map(pooledOf));
  // diffusers' defaults: drawn at this size, not cropped
  const timeIds = stack(rows.map(() => float32([height, width, 0, 0, height, width])));
  return { text, added: { pooled, timeIds }, guided };
}

function pooledOf({ pooled }: TextEmbedding): Float32Tensor {
  if (pooled === undefined) throw new RangeError("this U-Net needs pooled texts, which the text encoder does not give");
  return pooled;
}

/** [B, ...] -> [2B, ...]: the rows once for the negative text and once for the prompts. */
function twice({ data, shape: [rows, ...shape] }: Float32Tensor): Float32Tensor {
  const out = zeros([2 * rows, ...shape]);
  out.data.set(data);
  out.data.set(data, data.length);
  return out;
}

function guided(output: Float32Tensor, isGuided: boolean, guidanceScale: number): Float32Tensor {
  if (!isGuided) return output;
  const shape = [output.shape[0] / 2, ...output.shape.slice(1)];
  const size = sizeOf(shape);
  const half = (start: number): Float32Tensor => float32(output.data.subarray(start, start + size), shape);
  return guide(half(0), half(size), guidanceScale);
}

function filled(length: number, value: number): Float32Tensor {
  const out = zeros([length]);
  out.data.fill(value);
  return out;
}
