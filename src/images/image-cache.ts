import type { Image } from "./image.ts";

/** Gives a picture, from memory or by reading it again. */
export type PictureSource = () => Promise<Image>;

/** Bytes of decoded pictures that the cache holds: some 400 photos of a megapixel, or 16 of 24. */
const BUDGET = 1.2e9;

/** Keeps pictures in memory while they fit, for those who look at each of many several times. */
export interface ImageCache {
  /** Reads a picture, so that what is wrong with it is known now. @returns where to get it from */
  put(read: PictureSource): Promise<PictureSource>;
}

export function createImageCache(budget = BUDGET): ImageCache {
  let held = 0;
  return {
    async put(read) {
      const image = await read();
      if (held + image.data.length > budget) return read;
      held += image.data.length;
      return () => Promise.resolve(image);
    },
  };
}
