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
export function drawOf(step: number, options: DrawOptions): Draw {
  return drawsOf(options)(step);
}

/** {@link drawOf} for many steps: decks are shuffled once a round. */
export function drawsOf({ seed, photos, prompts, negatives }: DrawOptions): (step: number) => Draw {
  const rng = new Random(seed);
  const photo = dealer(rng, "photos", photos);
  const pair = dealer(rng, "negatives", prompts * negatives);
  return (step) => {
    const dealt = pair(step - 1);
    return { photo: photo(step - 1), prompt: dealt % prompts, negative: Math.floor(dealt / prompts) };
  };
}

/** Cards by their place in the row that is dealt of a deck of `size`, which is shuffled anew each time it runs out. */
function dealer(rng: Random, deck: string, size: number): (index: number) => number {
  let latest: { readonly round: number; readonly cards: readonly number[] } | undefined;
  return (index) => {
    const round = Math.floor(index / size);
    if (latest?.round !== round)
      latest = { round, cards: rng.split(deck, round).shuffle(Array.from({ length: size }, (_, card) => card)) };
    return latest.cards[index % size];
  };
}

/** The negatives that some step will use, in the order of first use: no others need to be drawn. */
export function negativesNeeded(steps: number, options: DrawOptions): Pick<Draw, "prompt" | "negative">[] {
  const needed = new Map<string, Pick<Draw, "prompt" | "negative">>();
  const draw = drawsOf(options);
  for (let step = 1; step <= steps && needed.size < options.prompts * options.negatives; step++) {
    const { prompt, negative } = draw(step);
    needed.set(`${prompt}/${negative}`, { prompt, negative });
  }
  return [...needed.values()];
}

/** The seed of a picture's starting noise: fixed for its place, and fit for `rpo generate --seed`. */
export function pictureSeed(seed: number, kind: "negative" | "validation", prompt: number, index: number): number {
  return new Random(seed).split(kind, prompt, index).integer(2 ** 31);
}
