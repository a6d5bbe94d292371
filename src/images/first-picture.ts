import type { PictureKind } from "./kinds.ts";

/**
 * What decoders get to see of a file: its first frame or page, without texts. They would otherwise go through all frames of a film, in a time
 * that grows with the square of their number (WebP), and unpack texts of some bytes into gigabytes (PNG). What decides on the pixels stays:
 * orientation, colour profiles, transparency.
 *
 * A file that is damaged is left as it is from there on: its decoder says what is wrong.
 *
 * @param bytes may be changed
 */
export function firstPicture(bytes: Buffer, kind: PictureKind): Buffer {
  switch (kind) {
    case "png":
      return withoutTexts(bytes);
    case "webp":
      return firstFrameOfWebp(bytes);
    case "gif":
      return firstFrameOfGif(bytes);
    case "tiff":
      return firstPageOfTiff(bytes);
    case "jpeg":
    case "avif":
      return bytes;
  }
}

/** The chunks of a PNG that decide on its pixels (https://www.w3.org/TR/png-3/#11Chunks). */
const PNG_CHUNKS = /^(IHDR|PLTE|IDAT|IEND|tRNS|gAMA|cHRM|sRGB|iCCP|sBIT|bKGD|pHYs|eXIf|cICP)$/;

function withoutTexts(bytes: Buffer): Buffer {
  const kept = new Kept(bytes, 8);
  const seen = new Set<string>();
  while (kept.at + 12 <= bytes.length) {
    const type = bytes.toString("latin1", kept.at + 4, kept.at + 8);
    // each but IDAT may be there once
    kept.next(12 + bytes.readUInt32BE(kept.at), PNG_CHUNKS.test(type) && (type === "IDAT" || !seen.has(type)));
    seen.add(type);
  }
  return kept.whole();
}

/** RIFF: chunks of a name, a length and an even number of bytes (https://developers.google.com/speed/webp/docs/riff_container). */
function firstFrameOfWebp(bytes: Buffer): Buffer {
  const kept = new Kept(bytes, 12);
  const seen = new Set<string>();
  while (kept.at + 8 <= bytes.length) {
    const type = bytes.toString("latin1", kept.at, kept.at + 4);
    const length = bytes.readUInt32LE(kept.at + 4);
    kept.next(8 + length + (length % 2), !seen.has(type));
    seen.add(type);
  }
  const whole = kept.whole();
  if (whole.length < bytes.length) whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}

const GIF_END = 0x3b;

/** https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
function firstFrameOfGif(bytes: Buffer): Buffer {
  const tableBytes = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
  let at = 13 + tableBytes(bytes.at(10) ?? 0);
  const skipBlocks = () => {
    while ((bytes.at(at) ?? 0) > 0) at += 1 + bytes[at];
    at++;
  };
  for (;;) {
    const introducer = bytes.at(at);
    if (introducer === 0x21) {
      at += 2;
      skipBlocks();
    } else if (introducer === 0x2c) {
      at += 11 + tableBytes(bytes.at(at + 9) ?? 0);
      skipBlocks();
      if (at >= bytes.length) return bytes;
      bytes[at] = GIF_END;
      return bytes.subarray(0, at + 1);
    } else return bytes;
  }
}

/** The first directory's pointer to the next one becomes none (TIFF 6.0, p. 13; BigTIFF has counts and offsets of 64 bits). */
function firstPageOfTiff(bytes: Buffer): Buffer {
  const little = bytes[0] === 0x49;
  const big = (little ? bytes[2] : bytes[3]) === 0x2b;
  const read = (at: number, size: 2 | 4 | 8): number => {
    if (at + size > bytes.length) return Infinity;
    if (size === 8) return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return little ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  };
  const directory = big ? read(8, 8) : read(4, 4);
  const next = big ? directory + 8 + 20 * read(directory, 8) : directory + 2 + 12 * read(directory, 2);
  if (next + (big ? 8 : 4) <= bytes.length) bytes.fill(0, next, next + (big ? 8 : 4));
  return bytes;
}

/** A file's beginning, and the chunks after it that are wanted. */
class Kept {
  /** The next chunk. */
  at: number;
  readonly #bytes: Buffer;
  readonly #parts: Buffer[] = [];
  #from = 0;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.at = start;
  }

  next(length: number, wanted: boolean): void {
    if (!wanted) {
      if (this.at > this.#from) this.#parts.push(this.#bytes.subarray(this.#from, this.at));
      this.#from = this.at + length;
    }
    this.at += length;
  }

  whole(): Buffer {
    if (this.#from === 0) return this.#bytes;
    return Buffer.concat([...this.#parts, this.#bytes.subarray(Math.min(this.#from, this.#bytes.length))]);
  }
}
