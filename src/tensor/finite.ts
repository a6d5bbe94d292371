import { ModelError } from "../system/errors.ts";

/** One pass without a branch, for it goes over every weight: x · 0 is 0, but NaN for infinity and NaN. Four sums, for each waits for itself. */
export function allFinite(data: Float32Array): boolean {
  const inFours = data.length - (data.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < inFours; i += 4) {
    a += data[i] * 0;
    b += data[i + 1] * 0;
    c += data[i + 2] * 0;
    d += data[i + 3] * 0;
  }
  for (let i = inFours; i < data.length; i++) a += data[i] * 0;
  return a + b + c + d === 0;
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
