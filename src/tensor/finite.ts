import { ModelError } from "../system/errors.ts";

/** One pass without a branch, for it goes over every weight: x - x is 0, but NaN for infinity and NaN. */
export function allFinite(data: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] - data[i];
  return sum === 0;
}

/** What a model gave that is no number. */
export class NoNumbers extends ModelError {}

/**
 * Refuses what a model gives when its weights are zero, far too large or of another model: nothing can be drawn or chosen by it.
 * @param model where its weights are, for the error
 * @param what it gave: "the latents of a picture"
 * @throws NoNumbers unless all are numbers
 */
export function checkFinite(data: Float32Array, model: string, what: string): void {
  if (!allFinite(data))
    throw new NoNumbers(
      `${model}: ${what}: NaN or infinity came out, expected numbers; are these whole, trained weights?`,
    );
}
