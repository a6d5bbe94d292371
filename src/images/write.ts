import { createHash } from "node:crypto";
import sharp from "sharp";
import { writeFileAtomic } from "../system/files.ts";
import type { Image } from "./image.ts";

/** `image` as the bytes of a PNG file; equal pictures give equal bytes. */
export function encodePng({ width, height, data }: Image): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .png()
    .toBuffer();
}

/** Write `image` as a PNG file. At every instant the file is absent, the old one or complete. @returns the file's SHA-256 */
export async function writePng(path: string, image: Image): Promise<string> {
  const bytes = await encodePng(image);
  await writeFileAtomic(path, bytes);
  return createHash("sha256").update(bytes).digest("hex");
}
