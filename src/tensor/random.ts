import { float32Array, sizeOf, type Float32Tensor, type Shape } from "./tensor.ts";

/** A generator's stream, as two unsigned 32-bit words. */
type Key = readonly [number, number];

/**
 * Seeded, splittable random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A counter-based generator: a key and a count of blocks, so that splitting is exact and cheap.
 *
 * @example
 * const rng = new Random(0);
 * const noise = rng.split("negatives", 3).normal([4, 64, 64]); // the same whatever was drawn from rng before
 */
export class Random {
  readonly #key: Key;
  #block = 0;

  /** @param seed an integer of 0 or more, or another generator's key, see {@link Random.split} */
  constructor(seed: number | Key) {
    if (typeof seed !== "number") {
      this.#key = seed;
      return;
    }
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`seed must be an integer of 0 or more, not ${seed}`);
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  }

  /** An independent generator named by `path`; depends on this generator's key alone, not on what it has drawn. */
  split(...path: readonly (string | number)[]): Random {
    let key = this.#key;
    for (const part of path) {
      const [low, high] = hash64(String(part));
      const [a, b] = philox(key, low, high, 0x5eed, 1);
      key = [a, b];
    }
    return new Random(key);
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    const [a, b] = this.#next();
    return unit(a, b);
  }

  /** An integer in [0, limit). */
  integer(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** True with the given probability. */
  bernoulli(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** One of `items`, which must not be empty. */
  choice<T>(items: readonly T[]): T {
    return items[this.integer(items.length)];
  }

  /** `items` in random order (Fisher-Yates); the argument is left as it is. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  /** Standard normal numbers (Box-Muller). */
  normal(shape: Shape): Float32Tensor {
    const data = float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i += 2) {
      const block = this.#next();
      const radius = Math.sqrt(-2 * Math.log1p(-unit(block[0], block[1])));
      const angle = 2 * Math.PI * unit(block[2], block[3]);
      data[i] = radius * Math.cos(angle);
      if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
    }
    return { dtype: "float32", shape, data };
  }

  /** Four random words, to be read before the next are drawn. */
  #next(): Uint32Array {
    const block = this.#block++;
    return philox(this.#key, block >>> 0, Math.floor(block / 2 ** 32), 0, 0);
  }
}

function unit(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

const words: Uint32Array = new Uint32Array(4);

/** Ten rounds of Philox 4x32 over a counter of four words. @returns always the same array: a fresh one would cost more than the rounds */
export function philox([k0, k1]: Key, c0: number, c1: number, c2: number, c3: number): Uint32Array {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd251, 0x1f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e, 0x8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
  return words;
}

/** Upper 32 bits of the product of two unsigned 32-bit numbers, the first by its halves, in steps that 32 bits hold. */
function multiplyHigh(aHigh: number, aLow: number, b: number): number {
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = (Math.imul(bHigh, aLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const carry = (Math.imul(bLow, aHigh) + (middle & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/** FNV-1a over UTF-16 code units, twice with different offsets: a name's 64 bits for {@link Random.split}. */
function hash64(text: string): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x050c5d1f;
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193) >>> 0;
    high = Math.imul(high ^ text.charCodeAt(i), 0x01000197) >>> 0;
  }
  return [low, high];
}
