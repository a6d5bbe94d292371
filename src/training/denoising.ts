import type { Value } from "../graph/graph.ts";
import { concat, mean, mul, slice, sub } from "../graph/ops/index.ts";

/** The denoising error, of which every method's losses are made. */

/** What a denoiser reads of B texts. */
export interface TextCondition {
  /** [B, L, D] */
  readonly states: Value;
  /** SDXL: the whole of each text, [B, P]. */
  readonly pooled: Value | undefined;
  /** Where a LoRA of the text encoders trains: the same texts as these began, which the starting model reads. */
  readonly start?: (() => TextCondition) | undefined;
}

/** Texts one below the other. */
function stackedTexts(texts: readonly TextCondition[]): TextCondition {
  const stacked = (values: readonly Value[]) => concat(values, 0);
  const [{ pooled, start }] = texts;
  return {
    states: stacked(texts.map(({ states }) => states)),
    pooled: pooled && stacked(texts.flatMap((text) => text.pooled ?? [])),
    start: start && (() => stackedTexts(texts.flatMap((text) => text.start?.() ?? []))),
  };
}

/** Noisy latents, [B, C, H, W], timesteps [B], texts, and SDXL's sizes where they are the pictures' own, [B, 6] -> the model's prediction. */
export type Denoiser = (noisy: Value, timestep: Value, text: TextCondition, sizes?: Value) => Value;

/** Noisy latents of B pictures, and what the model should predict from them: the noise, or the velocity. */
export interface NoisyPictures {
  readonly noisy: Value;
  readonly target: Value;
  /** SDXL's size conditions, [B, 6], where they are the pictures' own. */
  readonly sizes?: Value | undefined;
}

/** One use of the denoiser: B pictures at their timesteps, [B], with their texts. */
export interface Pass {
  readonly pictures: NoisyPictures;
  readonly timestep: Value;
  readonly text: TextCondition;
  /** How much each of the latents counts, [B, 1, h, w]. Default: all alike. */
  readonly mask?: Value | undefined;
}

/** The squared differences of several passes of one shape, one below the other, [passes · B, C, H, W], from one run of the denoiser on all of them. */
export function squaredDifferences(denoise: Denoiser, passes: readonly Pass[]): Value {
  const stacked = (values: readonly Value[]) => concat(values, 0);
  const predicted = denoise(
    stacked(passes.map(({ pictures }) => pictures.noisy)),
    stacked(passes.map(({ timestep }) => timestep)),
    stackedTexts(passes.map(({ text }) => text)),
    passes[0].pictures.sizes && stacked(passes.flatMap(({ pictures }) => pictures.sizes ?? [])),
  );
  const difference = sub(predicted, stacked(passes.map(({ pictures }) => pictures.target)));
  return mul(difference, difference);
}

/**
 * The mean squared errors of several passes, each [B], over a picture's latents however many they are. One run of the denoiser serves all passes
 * whose pictures have the same shape.
 */
export function squaredErrors(denoise: Denoiser, passes: readonly Pass[]): Value[] {
  const errors: Value[] = [];
  for (const alike of byShape(passes))
    errorsOfAlike(
      denoise,
      alike.map((i) => passes[i]),
    ).forEach((error, i) => (errors[alike[i]] = error));
  return errors;
}

/** Places of passes that one run of the denoiser can take together. */
function byShape(passes: readonly Pass[]): number[][] {
  const groups = new Map<string, number[]>();
  passes.forEach(({ pictures: { noisy, sizes } }, i) => {
    const shape = `${noisy.shape.join()} ${sizes === undefined}`;
    groups.set(shape, [...(groups.get(shape) ?? []), i]);
  });
  return [...groups.values()];
}

function errorsOfAlike(denoise: Denoiser, passes: readonly Pass[]): Value[] {
  const squares = squaredDifferences(denoise, passes);
  const batch = passes[0].timestep.shape[0];
  if (passes.some(({ mask }) => mask !== undefined)) {
    return passes.map(({ mask }, i) => {
      const own = slice(squares, 0, i * batch, (i + 1) * batch);
      return mean(mask === undefined ? own : mul(own, mask), [1, 2, 3]);
    });
  }
  const errors = mean(squares, [1, 2, 3]); // [passes · B]
  return passes.map((_, i) => slice(errors, 0, i * batch, (i + 1) * batch));
}
