import type { Image } from "./image.ts";
import { resize } from "./resize.ts";

/** What a picture looks like from afar: enough to know it again when it was saved anew or made smaller. */
export interface Thumbnail {
  /** Width over height. */
  readonly ratio: number;
  /** [SIDE, SIDE, 3] */
  readonly pixels: Uint8Array;
}

const SIDE = 32;

export function thumbnailOf(image: Image): Thumbnail {
  return {
    ratio: image.width / image.height,
    pixels: resize(image, { width: SIDE, height: SIDE, filter: "bilinear" }).data,
  };
}

/** Root mean square difference of levels (of 255) up to which two are one picture: of DreamBench's photos, saving anew (down to JPEG's quality 20) or in another size moves one by up to 2.7, and the next one of the same subject is 23 away. */
const SAME_LEVELS = 5;
/** Of width over height: a picture made smaller has whole pixels. */
const SAME_RATIO = 0.03;

/** The root mean square difference of the levels of two pictures, 0 to 255. */
export function differenceOf(a: Thumbnail, b: Thumbnail): number {
  let sum = 0;
  for (let i = 0; i < a.pixels.length; i++) sum += (a.pixels[i] - b.pixels[i]) ** 2;
  return Math.sqrt(sum / a.pixels.length);
}

/** Whether two are one picture: the same file, or saved anew, or in another size. */
export function areSame(a: Thumbnail, b: Thumbnail): boolean {
  return Math.abs(a.ratio / b.ratio - 1) <= SAME_RATIO && differenceOf(a, b) <= SAME_LEVELS;
}

/** For each picture the place of the first one that is the same: its own where there is none before it. */
export function firstOfSame(pictures: readonly Thumbnail[]): number[] {
  const firsts: number[] = [];
  for (const [i, picture] of pictures.entries()) {
    const same = firsts.find((first, j) => first === j && areSame(pictures[j], picture));
    firsts.push(same ?? i);
  }
  return firsts;
}
