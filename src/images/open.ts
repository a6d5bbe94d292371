import { extname } from "node:path";
import type { Sharp } from "sharp";
import { UsageError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { MOST_BYTES, readBytes } from "../system/regular-files.ts";
import { avifPixels } from "./avif-pixels.ts";
import { firstPicture } from "./first-picture.ts";
import type { Size } from "./image.ts";
import { countScans } from "./jpeg-scans.ts";
import { describeOther, kindOf, type PictureKind } from "./kinds.ts";
import { libvips } from "./libvips.ts";
import { checkSize, inMegapixels, MOST_PIXELS } from "./limits.ts";

/**
 * The one place that gives a picture's file to a decoder. What that may cost is checked beforehand, for decoders have no limits for most of
 * it: the file's size, its kind by its content, its number of pixels, and how often they are gone through. A timeout ends the rest.
 */

/** An optimized progressive JPEG has up to 64. */
const MOST_SCANS = 100;

/** A grid of tiles with transparency has twice the pixels, and its tiles may reach beyond the picture. */
const MOST_DECODED = 2.5 * MOST_PIXELS;

/** The costliest picture within these limits takes some 20 seconds. */
const LONGEST_SECONDS = 120;

/** How many pictures are decoded at a time: each may take a gigabyte. */
const AT_A_TIME = 2;

export interface OpenedPicture extends Size {
  /** The file's own. */
  readonly bytes: Uint8Array;
  /** Upright as the file has it: `autoOrient` is still to be done. */
  readonly source: Sharp;
}

/**
 * Opens a picture for `use`.
 * @throws UsageError naming the file when it is missing, no regular file, of another kind, damaged in its header, or would cost too much
 */
export async function withPicture<T>(path: string, use: (picture: OpenedPicture) => Promise<T>): Promise<T> {
  return oneOfFew(async () => {
    const bytes = await readBytes(path, { atMost: MOST_BYTES.picture }).catch((error: unknown) => {
      throw new UsageError(`${path}: ${reasonOf(error).replace(/^expected a file/, "expected a picture")}`, {
        cause: error,
      });
    });
    if (bytes.length === 0) throw new UsageError(`${path}: the file is empty`);
    const kind = kindOf(bytes);
    if (kind === undefined)
      throw new UsageError(
        `${path}: not a picture that can be read: this is ${describeOther(bytes, extname(path))} (expected a JPEG, PNG, WebP, AVIF, TIFF or GIF)`,
      );
    checkWork(path, kind, bytes);
    const sharp = await libvips();
    const source = sharp(firstPicture(bytes, kind), { failOn: "error", limitInputPixels: false });
    const { width, height, format } = await source.metadata().catch((error: unknown) => {
      throw new UsageError(`${path}: not a picture that can be read (${problemOf(path, error)})`, { cause: error });
    });
    if (format !== (kind === "avif" ? "heif" : kind))
      throw new UsageError(`${path}: not a picture that can be read (it begins as ${kind}, but is ${format})`);
    checkSize(path, { width, height });
    return use({ bytes, source: source.timeout({ seconds: LONGEST_SECONDS }), width, height });
  });
}

/** @throws UsageError when a decoder would go through more pixels than the header says */
function checkWork(path: string, kind: PictureKind, bytes: Buffer): void {
  if (kind === "jpeg") {
    const scans = countScans(bytes);
    if (scans > MOST_SCANS)
      throw new UsageError(`${path}: a JPEG of ${scans} scans, expected at most ${MOST_SCANS}; save it anew`);
  }
  if (kind === "avif") {
    const pixels = avifPixels(bytes);
    if (pixels === undefined) throw new UsageError(`${path}: not a picture that can be read (its parts are damaged)`);
    if (pixels > MOST_DECODED)
      throw new UsageError(
        `${path}: the picture's parts have ${inMegapixels(pixels)}, expected at most ${inMegapixels(MOST_DECODED)}; save it anew`,
      );
  }
}

/** What libvips found wrong, first: it may go on for lines, and repeat the path. */
export function problemOf(path: string, error: unknown): string {
  const [line] = (error as Error).message.replaceAll(`${path}: `, "").trim().split("\n");
  return line.slice(0, 120);
}

let working = 0;
const waiting: (() => void)[] = [];

async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
  if (working >= AT_A_TIME) await new Promise<void>((resolve) => waiting.push(resolve));
  else working++;
  try {
    return await work();
  } finally {
    // the place goes to the next, or is free
    const next = waiting.shift();
    if (next === undefined) working--;
    else next();
  }
}
