import { Random } from "../tensor/random.ts";

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

/**
 * The pair of step `step` (from 1). Photos come round in shuffled order, and so do pairs of prompt and negative, each used once before any is used
 * again; a step depends on the seed and its number alone, so that a resumed run draws what an uninterrupted one does.
 */
export function drawOf(step: number, { seed, photos, prompts, negatives }: DrawOptions): Draw {
  const rng = new Random(seed);
  const photo = dealt(rng, "photos", photos, step - 1);
  const pair = dealt(rng, "negatives", prompts * negatives, step - 1);
  return { photo, prompt: pair % prompts, negative: Math.floor(pair / prompts) };
}

/** Card `index` of a deck of `size` that is shuffled anew each time it runs out. */
function dealt(rng: Random, deck: string, size: number, index: number): number {
  const round = rng.split(deck, Math.floor(index / size));
  return round.shuffle(Array.from({ length: size }, (_, card) => card))[index % size];
}

/** The negatives that some step will use, in the order of first use: no others need to be drawn. */
export function negativesNeeded(steps: number, options: DrawOptions): Pick<Draw, "prompt" | "negative">[] {
  const needed = new Map<string, Pick<Draw, "prompt" | "negative">>();
  for (let step = 1; step <= steps && needed.size < options.prompts * options.negatives; step++) {
    const { prompt, negative } = drawOf(step, options);
    needed.set(`${prompt}/${negative}`, { prompt, negative });
  }
  return [...needed.values()];
}

/** The seed of a picture's starting noise: fixed for its place, and fit for `rpo generate --seed`. */
export function pictureSeed(seed: number, kind: "negative" | "validation", prompt: number, index: number): number {
  return new Random(seed).split(kind, prompt, index).integer(2 ** 31);
}
