import { withPicture } from "../images/open.ts";
import { insideOf } from "../system/inside.ts";
import type { Picture } from "./view.ts";

/** Pictures up to this side are kept as they are: a miniature's pixels are its details. */
const SMALL = 128;

/** Sides of thumbnails by how many pictures a report holds, so that it stays some megabytes. */
export function thumbnailSide(count: number): number {
  if (count <= 150) return 320;
  return count <= 500 ? 224 : 144;
}

/**
 * A picture of a run or a benchmark as a data URI of at most `side` pixels.
 * @param path in the folder
 * @returns undefined when it is missing or cannot be read
 * @throws UsageError when it leads out of the folder, which may come from others: what it names is not to be sent on
 */
export async function thumbnail(folder: string, path: string, side: number): Promise<Picture | undefined> {
  const file = insideOf(folder, path);
  if (file === undefined) return undefined;
  return withPicture(file, async ({ source, width, height }) => {
    const small = Math.max(width, height) <= SMALL;
    const { data, info } = await source
      .autoOrient()
      .resize({ width: side, height: side, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "white" })
      .webp(small ? { lossless: true } : { quality: 82 })
      .toBuffer({ resolveWithObject: true });
    return { src: `data:image/webp;base64,${data.toString("base64")}`, width: info.width, height: info.height };
  }).catch(() => undefined);
}
