import sharp from "sharp";
import type { Files } from "./mutate.ts";

/** What may lie under any file's name: other formats, and small files that cost a decoder much. */
export async function strangeFiles(): Promise<Files> {
  const picture = sharp({ create: { width: 12, height: 9, channels: 3, background: "#c82" } });
  const svg = (inside: string) =>
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="9000">${inside}</svg>`);
  return new Map<string, Buffer>([
    // 180 bytes, minutes of work
    [
      "an SVG that costs minutes",
      svg(
        '<filter id="f"><feGaussianBlur stdDeviation="500"/></filter><rect width="9000" height="9000" filter="url(#f)"/>',
      ),
    ],
    [
      "an SVG that nests",
      svg(
        '<g opacity=".9"><use href="#a"/></g><g id="a"><use href="#b"/><use href="#b"/></g><g id="b"><rect width="9" height="9"/></g>',
      ),
    ],
    ["a PNG", await picture.clone().png().toBuffer()],
    ["a JPEG", await picture.clone().jpeg().toBuffer()],
    ["a GIF", await picture.clone().gif().toBuffer()],
    ["a PDF", Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")],
    ["a PPM that says it is huge", Buffer.from("P6 60000 60000 255\n")],
    ["a Radiance picture", Buffer.from("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30000 +X 30000\n")],
    [
      "a FITS picture",
      Buffer.from(
        "SIMPLE  =                    T".padEnd(80) + "NAXIS1  =                60000".padEnd(80) + "END".padEnd(2720),
      ),
    ],
    ["a web page", Buffer.from("<!doctype html><html><body>404</body></html>")],
    ["a zip", Buffer.from("PK\x03\x04\x14\x00\x00\x00")],
    ["a pickle", Buffer.from([0x80, 2, 0x2e, ...new Array<number>(20).fill(0)])],
    ["a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")],
    ["JSON null", Buffer.from("null")],
    ["a JSON list", Buffer.from("[1, 2, 3]")],
    ["zeros", Buffer.alloc(5000)],
    ["one letter a million times", Buffer.alloc(1e6, "a")],
    ["a million lines", Buffer.alloc(1e6, "a {class}\n")],
    ["brackets without end", Buffer.alloc(1e6, "[")],
  ]);
}
