import { dot, type Feature } from "../tensor/feature.ts";

/** The cosine of two features of unit length. */
export function cosine(a: Feature, b: Feature): number {
  return Math.min(1, Math.max(-1, dot(a, b)));
}

/** The mean of f(item); NaN for none. */
export function meanOf<T>(items: readonly T[], f: (item: T) => number): number {
  return items.reduce((sum, item) => sum + f(item), 0) / items.length;
}

/** A picture's mean cosine to the references: DINO and CLIP-I of DreamBooth (Ruiz et al., arXiv 2208.12242, section 4.1). */
export function fidelity(picture: Feature, references: readonly Feature[]): number {
  return meanOf(references, (reference) => cosine(picture, reference));
}

/** The cosine to the nearest of the others; -1 where there are none. */
export function nearest(feature: Feature, others: readonly Feature[]): number {
  return others.reduce((best, other) => Math.max(best, cosine(feature, other)), -1);
}

/**
 * The share of pictures that are copies: nearer to some training photo than any two training photos are to each other.
 *
 * The paper's metrics reward a model that repeats its photos; this one tells.
 *
 * @returns undefined with fewer than two photos, when there is nothing to measure against
 */
export function copyRate(pictures: readonly Feature[], photos: readonly Feature[]): number | undefined {
  if (photos.length < 2 || pictures.length === 0) return undefined;
  const closest = Math.max(
    ...photos.map((photo, i) =>
      nearest(
        photo,
        photos.filter((_, j) => j !== i),
      ),
    ),
  );
  return pictures.filter((picture) => nearest(picture, photos) > closest).length / pictures.length;
}

/**
 * How much the pictures of one prompt differ: 1 - cosine over all pairs, averaged within each prompt and then over the prompts
 * that have two pictures or more.
 *
 * @param groups the pictures' features, a prompt each
 * @returns undefined when no prompt has two pictures
 */
export function diversity(groups: readonly (readonly Feature[])[]): number | undefined {
  const several = groups.filter((group) => group.length >= 2);
  if (several.length === 0) return undefined;
  return meanOf(several, (group) => {
    const distances = group.flatMap((a, i) => group.slice(i + 1).map((b) => 1 - cosine(a, b)));
    return meanOf(distances, (distance) => distance);
  });
}
