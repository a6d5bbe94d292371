import { inflateSync } from "node:zlib";

/** Texts in PNG files (https://www.w3.org/TR/png-3/#11textinfo), of which no decoder sees any: see first-picture.ts. */

const SIGNATURE_BYTES = 8;
/** Of a chunk's length, type and sum. */
const AROUND = 12;
const HEADER_END = SIGNATURE_BYTES + AROUND + 13;

/** Far more than what any program writes of how it drew a picture, but for ComfyUI's largest workflows. */
const MOST_BYTES = 4_000_000;
const MOST_TEXTS = 100;

/** A keyword and a text. */
export type PngText = readonly [key: string, text: string];

/** A PNG with texts behind its header: in Latin-1 where that has all of a text's characters, else in UTF-8, as Pillow writes them. */
export function withTexts(png: Buffer, texts: readonly PngText[]): Buffer {
  return Buffer.concat([png.subarray(0, HEADER_END), ...texts.map(chunkOf), png.subarray(HEADER_END)]);
}

function chunkOf([key, text]: PngText): Buffer {
  // all of Latin-1 but the zero, which ends a keyword
  return /^[\x01-\xff]*$/.test(text)
    ? chunk("tEXt", Buffer.from(`${key}\0${text}`, "latin1"))
    : // not compressed, in no language, no translated keyword
      chunk("iTXt", Buffer.concat([Buffer.from(`${key}\0\0\0\0\0`, "latin1"), Buffer.from(text, "utf8")]));
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(data.length + AROUND);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, data.length + 8)), data.length + 8);
  return bytes;
}

/**
 * The texts of a PNG, by their keywords; of several with the same keyword the first.
 * @throws Error with the reason when a text is damaged, or larger than any that tells how a picture was drawn
 */
export function textsOf(png: Buffer): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (let at = SIGNATURE_BYTES; at + AROUND <= png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > png.length) throw new Error("it is cut short");
    if (type === "tEXt" || type === "iTXt" || type === "zTXt") {
      if (length > MOST_BYTES) throw new Error(`one of its texts has ${length} bytes, expected at most ${MOST_BYTES}`);
      if (crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end)) throw new Error("one of its texts is damaged");
      const [key, text] = parseText(type, png.subarray(at + 8, end));
      if (!texts.has(key)) texts.set(key, text);
      if (texts.size > MOST_TEXTS) throw new Error(`it holds more than ${MOST_TEXTS} texts`);
    }
    at = end + 4;
  }
  return texts;
}

function parseText(type: "tEXt" | "iTXt" | "zTXt", data: Buffer): PngText {
  const [key, rest] = cut(data);
  if (type === "tEXt") return [key, rest.toString("latin1")];
  if (type === "zTXt") return [key, unpack(rest.subarray(1)).toString("latin1")];
  const [, translated] = cut(rest.subarray(2));
  const [, text] = cut(translated);
  return [key, (rest.at(0) === 1 ? unpack(text) : text).toString("utf8")];
}

/** What is before the first zero, and what is behind it. */
function cut(data: Buffer): [before: string, behind: Buffer] {
  const end = data.indexOf(0);
  if (end < 0) throw new Error("one of its texts is damaged");
  return [data.toString("latin1", 0, end), data.subarray(end + 1)];
}

/** A few bytes may stand for gigabytes. */
function unpack(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new Error(`one of its texts cannot be unpacked to at most ${MOST_BYTES} bytes`, { cause: error });
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** ISO 3309's sum, as PNG has it (Annex D); zlib's own is in Node from version 20.15 on alone. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
