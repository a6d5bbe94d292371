import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { readImage } from "./read.ts";
import { avifGrid, gifFilm, pngWithTexts, progressiveJpeg, tiffOfPages, webpFilm } from "./testing/costly.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-costly-"));
});
afterAll(() => rm(folder, { recursive: true }));
const read = async (name: string, content: Buffer | string) => {
  await writeFile(join(folder, name), content);
  return readImage(join(folder, name));
};
const red = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 255, g: 0, b: 0 } } });

describe("what a file is, its content says:", () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  const ftyp = (brands: string) => Buffer.from(`\0\0\0\x18ftyp${brands}`, "latin1");
  test.each([
    ["an SVG drawing under the name of a PNG", "dog.png", svg],
    [
      "an SVG drawing under the name of a JPEG",
      "dog.JPG",
      `\uFEFF<?xml version="1.0"?><!-- ${"-".repeat(500)} -->${svg}`,
    ],
    ["a file that gzip compressed under the name of a WebP", "dog.webp", gzipSync(svg)],
    ["an HEIC picture under the name of a JPEG; save it as a JPEG", "dog.jpeg", ftyp("heic\0\0\0\0mif1heic")],
    ["a film", "dog.mp4", ftyp("isom\0\0\0\0isomavc1")],
    ["a PDF under the name of a TIFF", "dog.tif", "%PDF-1.7\n"],
    ["a web page under the name of a GIF", "dog.gif", `<!DOCTYPE html><html><body>${svg}</body></html>`],
    ["text under the name of an AVIF", "dog.avif", "GIF88a <svg"],
    ["a file of an unknown kind", "dog", Buffer.from([0, 1, 2, 3])],
  ])("%s", async (what, name, content) => {
    await expect(read(name, content)).rejects.toThrow(UsageError);
    await expect(read(name, content)).rejects.toThrow(
      `${name}: not a picture that can be read: this is ${what} (expected a JPEG`,
    );
  });

  test("a picture under another kind's name is read", async () => {
    expect((await read("dog.gif", await red(3, 2).png().toBuffer())).width).toBe(3);
  });
});

describe("of a file that holds much, the first picture is read, and nothing else:", () => {
  test("a film of 60,000 frames, turned by its EXIF data", { timeout: 10_000 }, async () => {
    const frame = await red(3, 2).webp({ lossless: true }).toBuffer();
    const turned = await red(3, 2).withMetadata({ orientation: 6 }).webp().toBuffer();
    const exif = (await sharp(turned).metadata()).exif;
    expect(await read("film.webp", await webpFilm(frame, 60_000, exif ?? Buffer.alloc(0)))).toMatchObject({
      width: 2,
      height: 3,
    });
  });
  test("a GIF of a hundred thousand frames", { timeout: 10_000 }, async () => {
    expect([...(await read("film.gif", gifFilm(1e5))).data]).toEqual([0, 0, 255]);
  });
  test("a TIFF of 200,000 pages", { timeout: 10_000 }, async () => {
    expect([...(await read("book.tif", tiffOfPages(200_000))).data]).toEqual([77, 77, 77]);
  });
  test("a PNG with texts that unpack to 24 gigabytes", { timeout: 10_000 }, async () => {
    const png = await red(3, 2).png().withMetadata({ orientation: 6 }).toBuffer();
    const before = process.resourceUsage().maxRSS;
    expect(await read("texts.png", pngWithTexts(png, 3000))).toMatchObject({ width: 2, height: 3 });
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(300);
  });
});

test("a JPEG of a thousand scans is refused, one of a hundred is read", async () => {
  expect(await read("many.jpg", progressiveJpeg(64, 99))).toMatchObject({ width: 64, height: 64 });
  await expect(read("more.jpg", progressiveJpeg(8000, 1000))).rejects.toThrow(
    /more\.jpg: a JPEG of 1001 scans, expected at most 100/,
  );
});

test("an AVIF's parts count, not the size that it gives itself", { timeout: 20_000 }, async () => {
  expect(await read("grid.avif", await avifGrid(64, 1))).toMatchObject({ width: 64, height: 64 });
  await expect(read("grids.avif", await avifGrid(1024, 16))).rejects.toThrow(
    /grids\.avif: the picture's parts have 268 megapixels, expected at most 250 megapixels/,
  );
});

test("a picture that is a line is refused before a model's size makes it endless", async () => {
  await expect(read("line.png", await red(1000, 2).png().toBuffer())).rejects.toThrow(
    /line\.png: 1000 x 2 pixels are too narrow/,
  );
});
