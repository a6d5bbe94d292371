/** What numbers of a run may be, wherever they come from: flags, a config file, a run's folder. */

/** Least and most of whole numbers. */
export type Limits = readonly [least: number, most: number];

const ANY = Number.MAX_SAFE_INTEGER;

/** Of settings that are whole numbers. */
export const WHOLE = {
  rank: [1, 4096],
  steps: [1, 1_000_000],
  resolution: [8, 4096],
  negatives: [1, 1000],
  validateEvery: [1, ANY],
  validationImages: [1, 1000],
  validationSteps: [1, 1000],
  patience: [1, ANY],
  threads: [1, 1024],
  seed: [0, ANY],
} as const satisfies Readonly<Record<string, Limits>>;

/** Classifier-free guidance: numbers beyond draw nothing but noise, and overflow. */
export const MOST_GUIDANCE = 1000;

/** Prompts in one list. */
export const MOST_PROMPTS = 1000;
