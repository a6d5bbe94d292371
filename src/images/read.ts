import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { reasonOf } from "../system/files.ts";
import type { Image } from "./image.ts";
import { problemOf, withPicture, type OpenedPicture } from "./open.ts";

/** The kinds of files that {@link listImages} takes for pictures. */
const EXTENSIONS = [".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff", ".gif"];

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

/**
 * The paths of the pictures in `folder`, sorted by name (by code unit, so the same everywhere); hidden files and other kinds are left out.
 *
 * @param name of the setting that gave the folder, for messages
 * @throws UsageError when there is no such folder or no picture in it
 */
export async function listImages(folder: string, name?: string): Promise<string[]> {
  const what = name === undefined ? folder : setting(name, folder);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT"
        ? "no such folder"
        : code === "ENOTDIR"
          ? "expected a folder with pictures, but it is a file"
          : reasonOf(error);
    throw new UsageError(say`${what}: ${reason}`, { cause: error });
  });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .filter((name) => EXTENSIONS.includes(extname(name).toLowerCase()))
    .sort();
  if (names.length === 0) throw new UsageError(say`${what}: no pictures in it (looked for ${EXTENSIONS.join(", ")})`);
  return names.map((name) => join(folder, name));
}
