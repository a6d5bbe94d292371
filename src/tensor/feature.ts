/** What an encoder makes of a picture or a text: a vector of unit length, so that a dot product is a cosine. */
export type Feature = Float32Array;

/** Σ aᵢ bᵢ, summed in double precision. */
export function dot(a: Feature, b: Feature): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
