import sharp from "sharp";
import type { Picture } from "./view.ts";

/** Pictures up to this side are kept as they are: a miniature's pixels are its details. */
const SMALL = 128;

/** Sides of thumbnails by how many pictures a report holds, so that it stays some megabytes. */
export function thumbnailSide(count: number): number {
  if (count <= 150) return 320;
  return count <= 500 ? 224 : 144;
}

/** A picture file as a data URI of at most `side` pixels. @returns undefined when it is missing or cannot be read */
export async function thumbnail(path: string, side: number): Promise<Picture | undefined> {
  try {
    const source = sharp(path).autoOrient();
    const { width, height } = await source.metadata();
    const small = Math.max(width, height) <= SMALL;
    const { data, info } = await source
      .resize({ width: side, height: side, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "white" })
      .webp(small ? { lossless: true } : { quality: 82 })
      .toBuffer({ resolveWithObject: true });
    return { src: `data:image/webp;base64,${data.toString("base64")}`, width: info.width, height: info.height };
  } catch {
    return undefined;
  }
}
