import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A reader of event files for tests, by the formats' descriptions alone: it shares nothing with the writer. */

export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  readonly isStart?: boolean;
  readonly tag?: string;
  readonly scalar?: number;
  readonly image?: { readonly height: number; readonly width: number; readonly png: Uint8Array };
}

/** The events of a folder, file after file, without those that a later START at their step or before it makes void. */
export async function readEventFolder(folder: string): Promise<ReadEvent[]> {
  let events: ReadEvent[] = [];
  for (const name of (await readdir(folder)).sort())
    for (const event of readEventFile(await readFile(join(folder, name)))) {
      if (event.isStart) events = events.filter(({ step }) => step < event.step);
      else if (event.tag !== undefined) events.push(event);
    }
  return events;
}

/** The events of a file up to a half record at its end. @throws Error when a checksum is wrong */
export function readEventFile(bytes: Uint8Array): ReadEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: ReadEvent[] = [];
  for (let at = 0; at + 12 <= bytes.byteLength;) {
    const length = Number(view.getBigUint64(at, true));
    const [start, end] = [at + 12, at + 12 + length];
    if (end + 4 > bytes.byteLength) break;
    if (view.getUint32(at + 8, true) !== maskedCrc(bytes.subarray(at, at + 8))) throw new Error("length's checksum");
    if (view.getUint32(end, true) !== maskedCrc(bytes.subarray(start, end))) throw new Error("data's checksum");
    events.push(...eventsOf(bytes.subarray(start, end)));
    at = end + 4;
  }
  return events;
}

/** One event for each value of an Event. */
function eventsOf(bytes: Uint8Array): ReadEvent[] {
  const fields = fieldsOf(bytes);
  const base = { wallTime: double(fields.get(1)), step: Number(fields.get(2)?.[0] ?? 0) };
  const summary = bytesOf(fields.get(5));
  if (summary === undefined) {
    const session = bytesOf(fields.get(7));
    const isStart = session !== undefined && fieldsOf(session).get(1)?.[0] === 1n;
    return [{ ...base, isStart, fileVersion: text(bytesOf(fields.get(3))) }];
  }
  return (fieldsOf(summary).get(1) ?? []).map((value) => {
    const parts = fieldsOf(value as Uint8Array);
    const tag = text(bytesOf(parts.get(1)));
    const image = bytesOf(parts.get(4));
    if (image === undefined) return { ...base, tag, scalar: float(parts.get(2)) };
    const pixels = fieldsOf(image);
    return {
      ...base,
      tag,
      image: {
        height: Number(pixels.get(1)?.[0]),
        width: Number(pixels.get(2)?.[0]),
        png: bytesOf(pixels.get(4)) ?? new Uint8Array(),
      },
    };
  });
}

type Field = bigint | Uint8Array;

/** A message's fields by number: varints as numbers, everything else as bytes. */
function fieldsOf(bytes: Uint8Array): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  while (at < bytes.byteLength) {
    const key = Number(varint());
    const wire = key & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint()));
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
  }
  return fields;
}

function bytesOf(field: Field[] | undefined): Uint8Array | undefined {
  return field?.[0] as Uint8Array | undefined;
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function double(field: Field[] | undefined): number {
  const bytes = bytesOf(field) ?? new Uint8Array(8);
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
}

function float(field: Field[] | undefined): number {
  const bytes = bytesOf(field) ?? new Uint8Array(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
}

/** CRC-32C bit by bit, masked as TensorFlow does. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) crc = ((crc ^ (byte >> bit)) & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  crc = (crc ^ 0xffffffff) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
