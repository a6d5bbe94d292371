import { UsageError } from "../system/errors.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/**
 * A way from noise to a picture, for one run over one batch:
 *
 *     latents = noise * sampler.initialNoiseScale
 *     for each index of sampler.timesteps:
 *       output = model(sampler.scaleModelInput(latents, index), sampler.timesteps[index])
 *       latents = sampler.step(output, index, latents)
 *
 * Samplers are deterministic and treat every item by itself, so a picture does not depend on its batch. Multistep samplers
 * remember earlier outputs: steps come in order, and step 0 begins a new run.
 */
export interface Sampler {
  /** The timestep of each call of the model, in order; there may be more calls than steps (PNDM). */
  readonly timesteps: Float32Array;
  /** Standard deviation of the noise to start from. */
  readonly initialNoiseScale: number;
  /** What the model sees of `latents` [B, C, H, W] at call `index`. */
  scaleModelInput(latents: Float32Tensor, index: number): Float32Tensor;
  /** The latents after call `index`, whose model output is `output`; both [B, C, H, W]. @throws RangeError */
  step(output: Float32Tensor, index: number, latents: Float32Tensor): Float32Tensor;
}

/** @throws UsageError unless `steps` is an integer in 1 ... numTrainTimesteps. */
export function checkSteps(steps: number, numTrainTimesteps: number): void {
  if (Number.isInteger(steps) && steps >= 1 && steps <= numTrainTimesteps) return;
  throw new UsageError(`sampling steps: expected an integer in 1 ... ${numTrainTimesteps}, got ${steps}`);
}

/** The entry of a table of steps. @throws RangeError for an index that is not a step of this run. */
export function stepAt<Step>(table: ArrayLike<Step>, index: number): Step {
  const step = table[index];
  if (step === undefined) throw new RangeError(`step ${index}: this sampler has steps 0 ... ${table.length - 1}`);
  return step;
}

/** Multistep history: `next(index)` says whether the run begins. @throws RangeError when steps are skipped or repeated. */
export function stepOrder(): (index: number) => boolean {
  let expected = 0;
  return (index) => {
    if (index !== 0 && index !== expected)
      throw new RangeError(`step ${index} came where step ${expected} was expected: steps come in order`);
    expected = index + 1;
    return index === 0;
  };
}
