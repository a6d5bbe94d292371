import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import sharp from "sharp";
import { UsageError } from "../tensor/errors.ts";
import { reasonOf } from "../tensor/files.ts";
import type { Image } from "./image.ts";

/** More pixels than any camera's photo of a subject; decoded they take 300 MB. */
const MAX_MEGAPIXELS = 100;

/** The kinds of files that {@link listImages} takes for pictures. */
const EXTENSIONS = [".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff", ".gif"];

// libvips would otherwise answer from memory when a file was rewritten between two reads.
sharp.cache(false);

/**
 * Read a picture: JPEG, PNG, WebP, AVIF, TIFF or GIF (its first frame) of any depth and colour space.
 *
 * EXIF orientation is applied, transparency put on white, and colours converted to 8-bit sRGB.
 *
 * @throws UsageError naming the file when it is missing, empty, no picture, truncated or of more than 100 megapixels
 * (found out from its header, before decoding)
 */
export async function readImage(path: string): Promise<Image> {
  const info = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path}: ${reasonOf(error)}`, { cause: error });
  });
  if (!info.isFile())
    throw new UsageError(`${path}: expected a picture, but it is ${info.isDirectory() ? "a folder" : "no file"}`);
  if (info.size === 0) throw new UsageError(`${path}: the file is empty`);
  const source = sharp(path, { failOn: "error", limitInputPixels: false });
  const { width, height } = await source.metadata().catch((error: unknown) => {
    throw new UsageError(`${path}: not a picture that can be read (${problem(path, error)})`, { cause: error });
  });
  if (width * height > MAX_MEGAPIXELS * 1e6)
    throw new UsageError(
      `${path}: ${width} x ${height} pixels is too large, the limit is ${MAX_MEGAPIXELS} megapixels; make it smaller first`,
    );
  const decoded = await source
    .autoOrient()
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new UsageError(`${path}: the picture is damaged or truncated (${problem(path, error)})`, { cause: error });
    });
  return { width: decoded.info.width, height: decoded.info.height, data: asRgb(decoded.data, decoded.info.channels) };
}

/** Bytes of one (grey) or three channels as RGB. */
function asRgb(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const rgb = new Uint8Array((data.length / channels) * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3) * channels];
  return rgb;
}

/** What libvips found wrong, first: it may go on for lines, and repeat the path. */
function problem(path: string, error: unknown): string {
  const [line] = (error as Error).message.replaceAll(`${path}: `, "").trim().split("\n");
  return line.slice(0, 120);
}

/**
 * The paths of the pictures in `folder`, sorted by name (by code unit, so the same everywhere); hidden files and other kinds are left out.
 *
 * @throws UsageError when there is no such folder or no picture in it
 */
export async function listImages(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT"
        ? "no such folder"
        : code === "ENOTDIR"
          ? "expected a folder with pictures, but it is a file"
          : reasonOf(error);
    throw new UsageError(`${folder}: ${reason}`, { cause: error });
  });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .filter((name) => EXTENSIONS.includes(extname(name).toLowerCase()))
    .sort();
  if (names.length === 0) throw new UsageError(`${folder}: no pictures in it (looked for ${EXTENSIONS.join(", ")})`);
  return names.map((name) => join(folder, name));
}
