import { UsageError } from "../system/errors.ts";
import type { Size } from "./image.ts";

/** More pixels than any camera's photo of a subject; decoded they take 300 MB. */
export const MOST_PIXELS = 100e6;

/** How many times longer than wide; encoders' `shortestEdge` would make a line of a pixel's width into a picture without end. */
const MOST_NARROW = 200;

/** @throws UsageError when a picture has more pixels than photos have, or is a line */
export function checkSize(name: string, { width, height }: Size): void {
  if (width * height > MOST_PIXELS)
    throw new UsageError(
      `${name}: ${width} x ${height} pixels is too large, the limit is ${inMegapixels(MOST_PIXELS)}; make it smaller first`,
    );
  if (Math.max(width, height) > MOST_NARROW * Math.min(width, height))
    throw new UsageError(
      `${name}: ${width} x ${height} pixels are too narrow (expected at most ${MOST_NARROW} times as long as wide)`,
    );
}

export function inMegapixels(pixels: number): string {
  return Number.isFinite(pixels) ? `${Math.round(pixels / 1e6)} megapixels` : "pixels without end";
}
