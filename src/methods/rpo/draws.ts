import { dealer, photoDealer } from "../../training/draws.ts";

/** What one training step is made of, before any picture exists. */
export interface Draw {
  /** Index of the photo. */
  readonly photo: number;
  /** Index of the training prompt. */
  readonly prompt: number;
  /** Which of the prompt's negatives. */
  readonly negative: number;
}

export interface DrawOptions {
  readonly seed: number;
  readonly photos: number;
  readonly prompts: number;
  /** Negatives for each prompt. */
  readonly negatives: number;
}

/** A prompt and one of its negatives: with which picture a step compares the photo. */
type Pair = Pick<Draw, "prompt" | "negative">;

/**
 * The photo and the negative of step `step` (from 1). Photos come round in shuffled order, and so do pairs of prompt and negative, each used
 * once before any is used again.
 */
export function drawOf(step: number, options: DrawOptions): Draw {
  return drawsOf(options)(step);
}

/** {@link drawOf} for many steps. */
export function drawsOf({ seed, photos, ...options }: DrawOptions): (step: number) => Draw {
  const photo = photoDealer(seed, photos);
  const pair = pairDealer({ seed, ...options });
  return (step) => ({ photo: photo(step), ...pair(step) });
}

function pairDealer({ seed, prompts, negatives }: Omit<DrawOptions, "photos">): (step: number) => Pair {
  const deal = dealer(seed, "negatives", prompts * negatives);
  return (step) => {
    const dealt = deal(step - 1);
    return { prompt: dealt % prompts, negative: Math.floor(dealt / prompts) };
  };
}

/** The negatives that some step will use, in the order of first use: no others need to be drawn. */
export function negativesNeeded(steps: number, options: Omit<DrawOptions, "photos">): Pair[] {
  const needed = new Map<string, Pair>();
  const deal = pairDealer(options);
  for (let step = 1; step <= steps && needed.size < options.prompts * options.negatives; step++) {
    const pair = deal(step);
    needed.set(`${pair.prompt}/${pair.negative}`, pair);
  }
  return [...needed.values()];
}
