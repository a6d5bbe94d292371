import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { packagePath } from "../system/package.ts";
import { textsOf, withTexts } from "./png-text.ts";

/** The oracle is Pillow: tests/golden/png-text/make.py. */

const pillow = readFileSync(packagePath("tests/golden/png-text/pillow.png"));
const plain = await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } })
  .png()
  .toBuffer();

test("what Pillow writes is read: Latin-1, UTF-8, and both compressed", () => {
  const texts = textsOf(pillow);
  expect(texts.get("parameters")).toMatch(/^a dog in a café\nSteps: 20/);
  expect(texts.get("japanese")).toBe("犬");
  expect(texts.get("packed")).toBe("a".repeat(1000));
  expect(texts.get("packed-utf8")).toBe("犬".repeat(1000));
});

test("what is written is read back, and leaves the picture as it is", async () => {
  const texts = [
    ["parameters", "a dog in a café\nSteps: 20"],
    ["rpo", '{"prompt": "犬"}'],
  ] as const;
  const png = withTexts(plain, texts);
  expect([...textsOf(png)]).toEqual(texts);
  expect(await sharp(png).raw().toBuffer()).toEqual(await sharp(plain).raw().toBuffer());
  // Pillow's own bytes for the same text
  const [, text] = ["parameters", textsOf(pillow).get("parameters") ?? ""];
  expect(pillow.includes(withTexts(plain, [["parameters", text]]).subarray(33, 33 + 12 + 11 + text.length))).toBe(true);
});

describe("a text that is", () => {
  test("damaged is refused", () => {
    const png = Buffer.from(withTexts(plain, [["rpo", "{}"]]));
    png[33 + 8 + 4] ^= 1;
    expect(() => textsOf(png)).toThrow("one of its texts is damaged");
  });

  test("cut short is refused", () => {
    const png = withTexts(plain, [["rpo", "{}"]]);
    expect(() => textsOf(png.subarray(0, 45))).toThrow("cut short");
  });

  test("a bomb is not unpacked", () => {
    const bomb = deflateSync(Buffer.alloc(50_000_000));
    const data = Buffer.concat([Buffer.from("rpo\0\0", "latin1"), bomb]);
    const made = Buffer.concat([plain.subarray(0, 33), zTXt(data), plain.subarray(33)]);
    expect(() => textsOf(made)).toThrow("cannot be unpacked to at most 4000000 bytes");
  });

  test("longer than any that tells how a picture was drawn is refused", () => {
    expect(() => textsOf(withTexts(plain, [["rpo", "x".repeat(4_000_001)]]))).toThrow("expected at most 4000000");
  });

  test("one of hundreds is refused", () => {
    const many = Array.from({ length: 101 }, (_, i) => [`key${i}`, "x"] as const);
    expect(() => textsOf(withTexts(plain, many))).toThrow("more than 100 texts");
  });

  test("there twice is read once: the first", () => {
    expect(
      textsOf(
        withTexts(plain, [
          ["rpo", "1"],
          ["rpo", "2"],
        ]),
      ).get("rpo"),
    ).toBe("1");
  });
});

function zTXt(data: Buffer): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write("zTXt", 4, "latin1");
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc(bytes.subarray(4, data.length + 8)), data.length + 8);
  return bytes;
}

/** Bit by bit, as the standard has it. */
function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}
