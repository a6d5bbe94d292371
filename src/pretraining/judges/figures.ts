import { cosine, meanOf } from "../../evaluation/features.ts";
import type { Feature } from "../../tensor/feature.ts";

/** Something measured, and what it should reach. */
export interface Figure {
  /** e.g. "align: text to picture, R@1 of 256". */
  readonly what: string;
  readonly value: number;
  /** The least that is good enough; undefined for what is only told. */
  readonly bar?: number;
  /** Digits after the point. */
  readonly digits?: number;
}

export function passes({ value, bar }: Figure): boolean {
  return bar === undefined || value >= bar;
}

/** The index of the candidate that is most similar. */
export function mostSimilar(feature: Feature, candidates: readonly Feature[]): number {
  let best = 0;
  candidates.forEach((candidate, i) => {
    if (cosine(feature, candidate) > cosine(feature, candidates[best])) best = i;
  });
  return best;
}

/** The share of queries whose most similar item of the gallery is right (recall at 1). */
export function recallAtOne(
  queries: readonly Feature[],
  gallery: readonly Feature[],
  isRight: (query: number, found: number) => boolean,
): number {
  return queries.filter((query, i) => isRight(i, mostSimilar(query, gallery))).length / queries.length;
}

/** Two views of every instance, grouped by class: [class][instance]. */
export interface Views {
  readonly first: readonly (readonly Feature[])[];
  readonly second: readonly (readonly Feature[])[];
}

/** The share of first views whose own second view is the nearest among those of their class. */
export function instanceRetrieval({ first, second }: Views): number {
  return meanOf(
    first.map((queries, i) => recallAtOne(queries, second[i], (query, found) => query === found)),
    (share) => share,
  );
}

/** Mean (cos + 1) / 2, as in ALIGN-I, of two views of one instance, and of views of two instances of one class. */
export function identityGap({ first, second }: Views): { readonly same: number; readonly other: number } {
  const similarity = (a: Feature, b: Feature) => (cosine(a, b) + 1) / 2;
  const pairs = first.flatMap((group, c) =>
    group.flatMap((a, i) => second[c].map((b, j) => ({ same: i === j, value: similarity(a, b) }))),
  );
  const mean = (same: boolean) =>
    meanOf(
      pairs.filter((pair) => pair.same === same),
      ({ value }) => value,
    );
  return { same: mean(true), other: mean(false) };
}
