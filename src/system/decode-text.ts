import { guessEncoding, otherThanText } from "./guess-encoding.ts";

/**
 * A file's bytes as text: the one way in for all that is read as text, whoever wrote it.
 *
 * UTF-8, and by their byte order marks UTF-16 and UTF-32 (Unicode 16, section 23.8), which Windows' programs write. Nothing is guessed: bytes
 * that are not text in that encoding, and zeros, are refused by the line that they are in.
 *
 * @returns the text without the mark
 * @throws Error with the reason alone, as "line 3: ..."
 */
export function decodeText(bytes: Uint8Array): string {
  const other = otherThanText(bytes);
  if (other !== undefined) throw new Error(`expected text, but this is ${other}`);
  const marked = MARKED.find(({ mark }) => mark.every((byte, i) => bytes[i] === byte));
  const text = marked === undefined ? utf8(bytes, 0) : marked.decode(bytes, marked.mark.length);
  const zero = text.indexOf("\0");
  if (zero >= 0) {
    const looks = marked === undefined ? guessEncoding(bytes) : undefined;
    throw new Error(`line ${lineAt(text, zero)}: a zero byte (U+0000), which no text has${adviceOn(looks)}`);
  }
  return text;
}

const LITTLE_UTF_32 = [0xff, 0xfe, 0, 0];

/** In this order: UTF-32's mark begins as UTF-16's. */
const MARKED: readonly { mark: readonly number[]; decode: (bytes: Uint8Array, start: number) => string }[] = [
  { mark: [0xef, 0xbb, 0xbf], decode: utf8 },
  { mark: LITTLE_UTF_32, decode: (bytes, start) => utf32(bytes, start, true) },
  { mark: [0, 0, 0xfe, 0xff], decode: (bytes, start) => utf32(bytes, start, false) },
  { mark: [0xff, 0xfe], decode: (bytes, start) => utf16(bytes, start, true) },
  { mark: [0xfe, 0xff], decode: (bytes, start) => utf16(bytes, start, false) },
];

function utf8(bytes: Uint8Array, start: number): string {
  const content = bytes.subarray(start);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    const at = firstInvalid(content);
    const line = lineAt(Buffer.from(content.buffer, content.byteOffset, at).toString("latin1"), at);
    const byte = content[at].toString(16).toUpperCase();
    throw new Error(`line ${line}: not text in UTF-8 (byte 0x${byte})${adviceOn(guessEncoding(content, at))}`);
  }
}

function utf16(bytes: Uint8Array, start: number, little: boolean): string {
  const units = Buffer.from(bytes.subarray(start, start + 2 * Math.floor((bytes.length - start) / 2)));
  const text = (little ? units : units.swap16()).toString("utf16le");
  const lone = loneSurrogate(text);
  if (lone >= 0)
    throw new Error(
      `line ${lineAt(text, lone)}: half of a character in UTF-16; the file is damaged or cut, save it anew`,
    );
  if ((bytes.length - start) % 2 !== 0)
    throw new Error(
      `line ${lineAt(text, text.length)}: the file ends within a character of UTF-16; it was cut, save it anew`,
    );
  return text;
}

function utf32(bytes: Uint8Array, start: number, little: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  const parts: string[] = [];
  for (let at = 0; at + 4 <= view.byteLength; at += 4) {
    const code = view.getUint32(at, little);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw new Error(`line ${lineAt(parts.join(""), Infinity)}: no character of UTF-32; save the file as UTF-8`);
    parts.push(String.fromCodePoint(code));
  }
  if (view.byteLength % 4 !== 0)
    throw new Error(`line ${lineAt(parts.join(""), Infinity)}: the file ends within a character of UTF-32; it was cut`);
  return parts.join("");
}

function adviceOn(looks: string | undefined): string {
  return looks === undefined ? "; save the file as UTF-8" : `; ${looks}; save it as UTF-8`;
}

/** Where half of a pair stands without the other; -1 for nowhere. */
export function loneSurrogate(text: string): number {
  return text.search(/\p{Cs}/u);
}

/** The number of the line, from 1, that a place is in, as editors count them. */
function lineAt(text: string, place: number): number {
  return text.slice(0, place).split(/\r\n|\r|\n/).length;
}

/** The first byte that is no part of a character in UTF-8 (Unicode 16, table 3-7). */
function firstInvalid(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const length = lengthOfCharacter(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return bytes.length - 1;
}

/** In bytes; 0 for none. */
export function lengthOfCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i++) {
    const least = i > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = i > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    const byte = bytes[at + i] ?? 0;
    if (byte < least || byte > most) return 0;
  }
  return length;
}
