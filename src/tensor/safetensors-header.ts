/** The header of a safetensors file: its length as uint64, then JSON. https://github.com/huggingface/safetensors#format */

import { FILE_DTYPES, WRITTEN_DTYPES, type FileDType, type WrittenDType } from "./safetensors-dtypes.ts";
import { ModelError } from "../system/errors.ts";
import { isRecord } from "../system/json.ts";
import { sizeOf, type Shape } from "./tensor.ts";

/** The safetensors library allows 100 MB, which take seconds to parse; a U-Net's, with hundreds of tensors, is below 1 MB. */
export const MAX_HEADER_BYTES = 10_000_000;

/** Where a tensor lies in its file. */
export interface TensorInfo {
  readonly dtype: FileDType;
  readonly shape: Shape;
  /** Bytes from the start of the data, that is from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Parses and checks a header as strictly as the safetensors library does.
 *
 * @param bytes The JSON text.
 * @param dataBytes What the file holds behind the header.
 * @param path Begins each error's message.
 * @throws ModelError for anything but a well-formed header whose tensors cover the data exactly, without gap or overlap.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, path: string): Header {
  const fail = (message: string): never => {
    throw new ModelError(`${path}: ${message}`);
  };
  const json = parseObject(bytes, fail);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of Object.entries(json)) {
    if (name === "__proto__")
      fail("the header has a tensor named __proto__, which no model has; the file is not trusted");
    if (name === "__metadata__") {
      if (!isRecord(value)) fail(`__metadata__ must be an object of strings, not ${show(value)}`);
      for (const [key, text] of Object.entries(value as object)) {
        if (typeof text !== "string") fail(`__metadata__ ${quote(key)} must be a string, not ${show(text)}`);
        metadata.set(key, String(text));
      }
    } else
      tensors.set(
        name,
        parseTensor(value, dataBytes, (message) => fail(`tensor ${quote(name)}: ${message}`)),
      );
  }
  checkCoverage(tensors, dataBytes, fail);
  return { tensors, metadata };
}

/** A header's bytes, the 8 of its length included; padded with spaces so that the data starts at a multiple of 8. */
export function encodeHeader(
  tensors: Iterable<readonly [string, TensorInfo]>,
  metadata: Iterable<readonly [string, string]>,
): Uint8Array {
  const entries: [string, unknown][] = [...tensors].map(([name, { dtype, shape, begin, end }]) => [
    name,
    { dtype, shape, data_offsets: [begin, end] },
  ]);
  const texts = [...metadata];
  if (texts.length > 0) entries.unshift(["__metadata__", Object.fromEntries(texts)]);
  // not one object: names that look like numbers would change places
  const json = Buffer.from(
    `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`,
  );
  const length = Math.ceil(json.byteLength / 8) * 8;
  const bytes = Buffer.alloc(8 + length, " ");
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, 8);
  return bytes;
}

/** Places for tensors in the library's order: widest type first, then by name. @throws RangeError for a name used twice. */
export function layOut(
  tensors: Iterable<{ readonly name: string; readonly dtype: WrittenDType; readonly shape: Shape }>,
): Map<string, TensorInfo & { readonly dtype: WrittenDType }> {
  const rank = (dtype: WrittenDType) => WRITTEN_DTYPES.indexOf(dtype);
  const order = [...tensors].sort((a, b) => rank(a.dtype) - rank(b.dtype) || (a.name < b.name ? -1 : 1));
  const places = new Map<string, TensorInfo & { readonly dtype: WrittenDType }>();
  let begin = 0;
  for (const { name, dtype, shape } of order) {
    if (places.has(name) || name === "__metadata__" || name === "__proto__")
      throw new RangeError(`safetensors: the name ${name} is used twice or reserved`);
    const end = begin + sizeOf(shape) * FILE_DTYPES[dtype].bytes;
    places.set(name, { dtype, shape, begin, end });
    begin = end;
  }
  return places;
}

type Fail = (message: string) => never;

function parseTensor(value: unknown, dataBytes: number, fail: Fail): TensorInfo {
  if (!isRecord(value)) return fail(`expected an object with dtype, shape and data_offsets, not ${show(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(FILE_DTYPES, dtype))
    return fail(`dtype ${show(dtype)} is not supported, expected one of ${Object.keys(FILE_DTYPES).join(", ")}`);
  if (!Array.isArray(shape) || !shape.every(isCount))
    return fail(`shape must be a list of integers of 0 or more, not ${show(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return fail(`data_offsets must be two integers of 0 or more, not ${show(offsets)}`);
  const [begin, end] = offsets;
  if (begin > end || end > dataBytes)
    return fail(`data_offsets [${begin}, ${end}] lie outside the file's ${dataBytes} bytes of data (is it cut short?)`);
  const { bytes } = FILE_DTYPES[dtype as FileDType];
  const expected = shape.reduce((product, dimension) => checkedProduct(product, dimension), bytes);
  if (!(expected === end - begin))
    return fail(
      `${dtype} of shape [${shape.join(", ")}] takes ${expected} bytes, but data_offsets span ${end - begin}`,
    );
  return { dtype: dtype as FileDType, shape, begin, end };
}

/** NaN beyond 2^53, and for good: a later dimension of 0 does not make an impossible shape possible. */
function checkedProduct(a: number, b: number): number {
  return Number.isSafeInteger(a * b) ? a * b : NaN;
}

function checkCoverage(tensors: ReadonlyMap<string, TensorInfo>, dataBytes: number, fail: Fail): void {
  const order = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  let before = "the header";
  for (const [name, info] of order) {
    if (info.begin < end) fail(`tensor ${quote(name)} begins at ${info.begin}, inside ${before}, which ends at ${end}`);
    if (info.begin > end) fail(`tensor ${quote(name)} begins at ${info.begin}, expected ${end} right after ${before}`);
    end = info.end;
    before = `tensor ${quote(name)}`;
  }
  if (end !== dataBytes) fail(`the tensors end at ${end}, but the file holds ${dataBytes} bytes of data`);
}

function parseObject(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let keys = 0;
  if (!scanKeys(bytes, () => keys++)) fail("the header must be a JSON object of tensors; is this a safetensors file?");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, " ").slice(0, 120) : "";
    return fail(`the header is not JSON in UTF-8: ${reason}`);
  }
  if (!isRecord(json)) return fail(`the header must be a JSON object of tensors, not ${show(json)}`);
  // JSON.parse keeps the last of repeated keys and says nothing
  if (countKeys(json) !== keys) fail(`the header has the name ${quote(repeatedKey(bytes))} twice`);
  return json;
}

/**
 * Calls `visit` for each key of each object in a JSON text, with the bytes that hold it, quotes included, and its object's depth.
 *
 * @returns false for text that does not begin with `{` or nests deeper than a header does: it is not worth a parser's memory.
 */
function scanKeys(bytes: Uint8Array, visit: (start: number, end: number, depth: number) => void): boolean {
  if (bytes[0] !== Sign.openBrace) return false;
  let depth = 0;
  let start = 0; // of the latest string
  let end = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === Sign.quote) {
      start = i;
      do i += bytes[i] === Sign.backslash ? 2 : 1;
      while (i < bytes.length && bytes[i] !== Sign.quote);
      end = i + 1;
    } else if (byte === Sign.colon) visit(start, end, depth);
    else if (byte === Sign.openBrace || byte === Sign.openBracket) {
      if (++depth > 3) return false;
    } else if (byte === Sign.closeBrace || byte === Sign.closeBracket) depth--;
  }
  return true;
}

const Sign = {
  quote: 0x22,
  backslash: 0x5c,
  colon: 0x3a,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  openBracket: 0x5b,
  closeBracket: 0x5d,
} as const;

function countKeys(value: unknown): number {
  if (!isRecord(value)) return 0;
  return Object.values(value).reduce((sum: number, inner) => sum + 1 + countKeys(inner), 0);
}

/** The first key that an object of a JSON text has twice. */
function repeatedKey(bytes: Uint8Array): string {
  const seen: Set<string>[] = [];
  let repeated: string | undefined;
  scanKeys(bytes, (start, end, depth) => {
    if (repeated !== undefined) return;
    const key = String(JSON.parse(Buffer.from(bytes.subarray(start, end)).toString()));
    // a key one level up opens a new object below it
    seen.length = Math.min(seen.length, depth + 1);
    const names = (seen[depth] ??= new Set());
    if (names.has(key)) repeated = key;
    names.add(key);
  });
  return repeated ?? "";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}...` : name);
}
