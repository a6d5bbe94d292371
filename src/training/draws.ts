import { Random } from "../tensor/random.ts";

/** What random numbers decide in a run. Each depends on the seed and its place alone, so that a resumed run draws what an uninterrupted one does. */

/** Cards by their place in the row that is dealt of a deck of `size`, which is shuffled anew each time it runs out. */
export function dealer(seed: number, deck: string, size: number): (index: number) => number {
  const rng = new Random(seed);
  let latest: { readonly round: number; readonly cards: readonly number[] } | undefined;
  return (index) => {
    const round = Math.floor(index / size);
    if (latest?.round !== round)
      latest = { round, cards: rng.split(deck, round).shuffle(Array.from({ length: size }, (_, card) => card)) };
    return latest.cards[index % size];
  };
}

/** Which photo a step (from 1) trains on: they come round in shuffled order. */
export function photoDealer(seed: number, photos: number): (step: number) => number {
  const deal = dealer(seed, "photos", photos);
  return (step) => deal(step - 1);
}

/** The random numbers of a step; parts of it take theirs by name. */
export function randomOfStep(seed: number, step: number): Random {
  return new Random(seed).split("step", step);
}

/** The seed of a picture's starting noise: fixed for its place, and fit for `rpo generate --seed`. @param kind such as "validation" */
export function pictureSeed(seed: number, kind: string, prompt: number, index: number): number {
  return new Random(seed).split(kind, prompt, index).integer(2 ** 31);
}
