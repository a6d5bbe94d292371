import { createHash } from "node:crypto";
import { writeFileAtomic } from "../system/files.ts";
import type { Image } from "./image.ts";
import { libvips } from "./libvips.ts";
import { withTexts, type PngText } from "./png-text.ts";

/** `image` as the bytes of a PNG file; equal pictures give equal bytes. */
export async function encodePng({ width, height, data }: Image): Promise<Buffer> {
  const sharp = await libvips();
  return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .png()
    .toBuffer();
}

/** Write `image` as a PNG file, with texts in it. At every instant the file is absent, the old one or complete. @returns the file's SHA-256 */
export async function writePng(path: string, image: Image, texts: readonly PngText[] = []): Promise<string> {
  const bytes = withTexts(await encodePng(image), texts);
  await writeFileAtomic(path, bytes);
  return createHash("sha256").update(bytes).digest("hex");
}
