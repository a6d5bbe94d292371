/** What numbers of a run may be, wherever they come from: flags, a config file, a run's folder, its events, a benchmark's tasks. */

/** Least and most of whole numbers. */
export type Limits = readonly [least: number, most: number];

/** The most of what has no limit but that of exact integers. */
export const ANY = Number.MAX_SAFE_INTEGER;

/** Of settings that are whole numbers, and are met with elsewhere too. */
export const WHOLE = {
  steps: [1, 1_000_000],
  resolution: [8, 4096],
  validationImages: [1, 1000],
  validationSteps: [1, 1000],
  threads: [1, 1024],
  seed: [0, ANY],
} as const satisfies Readonly<Record<string, Limits>>;

/** Classifier-free guidance: numbers beyond draw nothing but noise, and overflow. */
export const MOST_GUIDANCE = 1000;

/** Prompts in one list. */
export const MOST_PROMPTS = 1000;
