import { basename } from "node:path";
import type { PictureSource } from "../images/image-cache.ts";
import { firstOfSame, thumbnailOf, type Thumbnail } from "../images/same.ts";

/** A photo with what its pixels come from. */
export interface SourcedPhoto {
  readonly path: string;
  readonly picture: PictureSource;
}

/** Photos without those that are another one again. */
export interface DistinctPhotos {
  readonly photos: readonly SourcedPhoto[];
  /** Each photo that was left out, and which one it is again. */
  readonly again: readonly { readonly path: string; readonly of: string }[];
}

/**
 * Takes each photo once: one that is there twice, saved anew or in another size, is no second look at the subject, and would be the nearest
 * to itself when copies are told by how near photos are to each other.
 */
export async function distinctPhotos(photos: readonly SourcedPhoto[]): Promise<DistinctPhotos> {
  const thumbnails: Thumbnail[] = [];
  for (const { picture } of photos) thumbnails.push(thumbnailOf(await picture()));
  const firsts = firstOfSame(thumbnails);
  return {
    photos: photos.filter((_, i) => firsts[i] === i),
    again: photos.flatMap(({ path }, i) => (firsts[i] === i ? [] : [{ path, of: photos[firsts[i]].path }])),
  };
}

/** "b.jpg is a.jpg again (the same picture, or saved anew)" */
export function sayAgain(again: DistinctPhotos["again"]): string {
  return again.map(({ path, of }) => `${basename(path)} is ${basename(of)}`).join(", ");
}
