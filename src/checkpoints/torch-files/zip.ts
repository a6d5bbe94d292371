import type { FileHandle } from "node:fs/promises";
import { readFully } from "../../system/files.ts";

/** Where an entry's bytes are. */
export interface ZipEntry {
  readonly begin: number;
  readonly size: number;
}

/** The end of a list of contents: 22 bytes, then a comment of at most 65535. */
const END_BYTES = 22 + 65535;
const MOST_ENTRIES = 10_000;

/**
 * The entries of a zip file that holds its files as they are, as `torch.save` writes it.
 *
 * Source: APPNOTE.TXT of PKWARE, 4.3.
 *
 * @throws Error with the reason for what is no such file, is compressed, or is larger than 4 GB
 */
export async function zipEntries(file: FileHandle, size: number): Promise<Map<string, ZipEntry>> {
  const read = async (position: number, length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length);
    if (position < 0 || !(await readFully(file, bytes, position))) throw new Error("the file is cut short");
    return bytes;
  };
  const tail = await read(Math.max(0, size - END_BYTES), Math.min(size, END_BYTES));
  const end = tail.lastIndexOf("PK\x05\x06", undefined, "latin1");
  if (end < 0 || end + 22 > tail.length)
    throw new Error("the list of contents is missing: the file is cut short, or no zip file");
  const [count, length, start] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (count > MOST_ENTRIES || start === 0xffffffff || start + length > size)
    throw new Error("its list of contents is not understood");
  const list = await read(start, length);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > list.length || list.readUInt32LE(at) !== 0x02014b50)
      throw new Error("its list of contents is damaged");
    const [method, packed, unpacked] = [
      list.readUInt16LE(at + 10),
      list.readUInt32LE(at + 20),
      list.readUInt32LE(at + 24),
    ];
    const [nameLength, extra, comment] = [
      list.readUInt16LE(at + 28),
      list.readUInt16LE(at + 30),
      list.readUInt16LE(at + 32),
    ];
    const header = list.readUInt32LE(at + 42);
    const name = list.toString("utf8", at + 46, at + 46 + nameLength);
    at += 46 + nameLength + extra + comment;
    if (method !== 0 || packed !== unpacked) throw new Error(`${JSON.stringify(name)} in it is compressed`);
    if (entries.has(name)) throw new Error(`${JSON.stringify(name)} is in it twice`);
    const local = await read(header, 30);
    if (local.readUInt32LE(0) !== 0x04034b50) throw new Error("its list of contents is damaged");
    const begin = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (begin + unpacked > size) throw new Error("the file is cut short");
    entries.set(name, { begin, size: unpacked });
  }
  return entries;
}
