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

/**
 * Which photo a draw (from 1) is of, where each batch of draws is of one bucket. Photos are dealt as by {@link photoDealer}, and wait for others of
 * their bucket until they are a batch: so all are trained equally often, and batches of one are dealt in the same order.
 * @param buckets of each photo, by some name
 */
export function bucketDealer(seed: number, buckets: readonly string[], batch: number): (draw: number) => number {
  const photoOf = photoDealer(seed, buckets.length);
  /** What was dealt up to a batch. */
  const begin = () => ({ batches: 0, photos: 0, waiting: new Map<string, number[]>(), last: [] as readonly number[] });
  let dealt = begin();
  const dealBatch = (): void => {
    for (;;) {
      const photo = photoOf(++dealt.photos);
      const bucket = buckets[photo];
      const together = [...(dealt.waiting.get(bucket) ?? []), photo];
      dealt.waiting.set(bucket, together.length < batch ? together : []);
      if (together.length < batch) continue;
      dealt.last = together;
      dealt.batches++;
      return;
    }
  };
  return (draw) => {
    const wanted = Math.ceil(draw / batch);
    if (wanted < dealt.batches) dealt = begin();
    while (dealt.batches < wanted) dealBatch();
    return dealt.last[(draw - 1) % batch];
  };
}

/** The random numbers of a step; parts of it take theirs by name. */
export function randomOfStep(seed: number, step: number): Random {
  return new Random(seed).split("step", step);
}

/** The seed of a picture's starting noise: fixed for its place, and fit for `rpo generate --seed`. @param kind such as "validation" */
export function pictureSeed(seed: number, kind: string, prompt: number, index: number): number {
  return new Random(seed).split(kind, prompt, index).integer(2 ** 31);
}
