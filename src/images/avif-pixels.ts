/**
 * The pixels that a decoder of an AVIF goes through for its one picture, which may be put together from others: a grid of tiles, layers over each other, with
 * transparency in a picture of its own. A thousand bytes can name one picture of 64 megapixels for each of 65,536 tiles (ISO/IEC 14496-12 and 23008-12).
 *
 * @returns undefined where the file does not say it as the standard has it, as in a damaged one
 */
export function avifPixels(bytes: Buffer): number | undefined {
  try {
    const items = readItems(bytes);
    return pixelsOf(items.primary, items, new Map());
  } catch (error) {
    // of reading beyond the end, and of more boxes, or boxes in boxes, than there can be
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Items {
  primary: number;
  /** Width times height. */
  readonly areas: Map<number, number>;
  /** What an item is decoded from besides itself: the pictures it consists of, and those that are its transparency or depth. */
  readonly parts: Map<number, number[]>;
}

/** @param known what was worked out before; an item that is part of itself has no end */
function pixelsOf(item: number, items: Items, known: Map<number, number>): number {
  const before = known.get(item);
  if (before !== undefined) return before;
  known.set(item, Infinity);
  let pixels = items.areas.get(item) ?? 0;
  for (const part of items.parts.get(item) ?? []) pixels += pixelsOf(part, items, known);
  known.set(item, pixels);
  return pixels;
}

function readItems(bytes: Buffer): Items {
  const items: Items = { primary: -1, areas: new Map(), parts: new Map() };
  for (const meta of boxes(bytes, 0, bytes.length).filter(({ type }) => type === "meta")) {
    if (meta.end - meta.start > MOST_BYTES) throw new RangeError("more than a picture's parts take");
    for (const box of boxes(bytes, meta.start + 4, meta.end)) {
      const wide = bytes[box.start] > 0;
      if (box.type === "pitm") items.primary = id(bytes, box.start + 4, wide);
      if (box.type === "iref") readReferences(bytes, box, items);
      if (box.type === "iprp") readAreas(bytes, box, items);
    }
  }
  return items;
}

/** iref: boxes of a kind, the item that refers, and those that it refers to. */
function readReferences(bytes: Buffer, iref: Box, { parts }: Items): void {
  const wide = bytes[iref.start] > 0;
  const size = wide ? 4 : 2;
  for (const { type, start, end } of boxes(bytes, iref.start + 4, iref.end)) {
    const from = id(bytes, start, wide);
    const count = bytes.readUInt16BE(start + size);
    if (start + size + 2 + count * size > end) throw new RangeError("a list that is longer than its box");
    for (let i = 0; i < count; i++) {
      const to = id(bytes, start + size + 2 + i * size, wide);
      if (type === "dimg") add(parts, from, to);
      if (type === "auxl") add(parts, to, from);
    }
  }
}

function add(parts: Map<number, number[]>, whole: number, part: number): void {
  const list = parts.get(whole);
  if (list === undefined) parts.set(whole, [part]);
  else list.push(part);
}

/** iprp: a list of properties (ipco), and which of them each item has (ipma), counted from 1. */
function readAreas(bytes: Buffer, iprp: Box, { areas }: Items): void {
  const inside = boxes(bytes, iprp.start, iprp.end);
  const properties = inside
    .filter(({ type }) => type === "ipco")
    .flatMap(({ start, end }) => boxes(bytes, start, end))
    .map(({ type, start }) => (type === "ispe" ? bytes.readUInt32BE(start + 4) * bytes.readUInt32BE(start + 8) : 0));
  for (const { start, end } of inside.filter(({ type }) => type === "ipma")) {
    const wide = bytes[start] > 0;
    const long = (bytes[start + 3] & 1) === 1;
    let at = start + 8;
    for (let items = bytes.readUInt32BE(start + 4); items > 0; items--) {
      if (at >= end) throw new RangeError("a list that is longer than its box");
      const item = id(bytes, at, wide);
      at += wide ? 4 : 2;
      for (let count = bytes.readUInt8(at++); count > 0; count--) {
        const index = long ? bytes.readUInt16BE(at) & 0x7fff : bytes.readUInt8(at) & 0x7f;
        at += long ? 2 : 1;
        areas.set(item, Math.max(areas.get(item) ?? 0, properties[index - 1] ?? 0));
      }
    }
  }
}

function id(bytes: Buffer, at: number, wide: boolean): number {
  return wide ? bytes.readUInt32BE(at) : bytes.readUInt16BE(at);
}

/** Of a level: a picture has some ten, and a property for each colour profile and size. */
const MOST_BOXES = 10_000;
/** Of all that is said of the parts, their colour profiles included. */
const MOST_BYTES = 16e6;

interface Box {
  readonly type: string;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

/** The boxes between two places: a length, a type, the content. */
function boxes(bytes: Buffer, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= to;) {
    const short = bytes.readUInt32BE(at);
    const header = short === 1 ? 16 : 8;
    const length = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? to - at : short;
    if (length < header || found.length === MOST_BOXES) throw new RangeError("not as boxes are");
    found.push({ type: bytes.toString("latin1", at + 4, at + 8), start: at + header, end: Math.min(at + length, to) });
    at += length;
  }
  return found;
}
