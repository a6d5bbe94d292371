import { createHash } from "node:crypto";
import { UsageError } from "../system/errors.ts";
import type { Image } from "./image.ts";
import { problemOf, withPicture, type OpenedPicture } from "./open.ts";

/**
 * Read a picture: JPEG, PNG, WebP, AVIF, TIFF or GIF (its first frame) of any depth and colour space. What it is is seen from its content.
 *
 * EXIF orientation is applied, transparency put on white, and colours converted to 8-bit sRGB.
 *
 * @throws UsageError naming the file when it is missing, empty, no picture, truncated, of more than 100 megapixels (found out from its
 * header, before decoding), or made to cost its decoder more than these
 */
export async function readImage(path: string): Promise<Image> {
  return withPicture(path, ({ source }) => decode(path, source));
}

/** How opaque each pixel of a picture is, as levels of grey; undefined where it has no transparency, or uses none. Errors as with {@link readImage}. */
export async function readAlpha(path: string): Promise<Image | undefined> {
  return withPicture(path, async ({ source }) => {
    const { hasAlpha } = await source.metadata();
    if (!hasAlpha) return undefined;
    const { data, info } = await source
      .autoOrient()
      .extractChannel("alpha")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true })
      .catch((error: unknown) => {
        throw new UsageError(`${path}: the picture is damaged or truncated (${problemOf(path, error)})`, {
          cause: error,
        });
      });
    if (data.every((level) => level === 255)) return undefined;
    return { width: info.width, height: info.height, data: asRgb(data, info.channels) };
  });
}

/** {@link readImage}, and the SHA-256 of the file that was read. */
export async function readHashedImage(path: string): Promise<{ readonly image: Image; readonly sha256: string }> {
  return withPicture(path, async ({ source, bytes }) => ({
    image: await decode(path, source),
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
}

async function decode(path: string, source: OpenedPicture["source"]): Promise<Image> {
  const { data, info } = await source
    .autoOrient()
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new UsageError(`${path}: the picture is damaged or truncated (${problemOf(path, error)})`, {
        cause: error,
      });
    });
  return { width: info.width, height: info.height, data: asRgb(data, info.channels) };
}

/** Bytes of one (grey) or three channels as RGB. */
function asRgb(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const rgb = new Uint8Array((data.length / channels) * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3) * channels];
  return rgb;
}
