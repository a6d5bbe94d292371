import type { FileHandle } from "node:fs/promises";
import { fromFdPromise } from "yauzl";

/** Where an entry's bytes are. */
export interface ZipEntry {
  readonly begin: number;
  readonly size: number;
}

const MOST_ENTRIES = 10_000;
const STORED = 0;

/**
 * The entries of a zip file that holds its files as they are, as `torch.save` writes it.
 * @throws Error with the reason for what is no such file, or is compressed
 */
export async function zipEntries(file: FileHandle, size: number): Promise<Map<string, ZipEntry>> {
  const zip = await fromFdPromise(file.fd, { autoClose: false, lazyEntries: true });
  if (zip.entryCount > MOST_ENTRIES)
    throw new Error(`it holds ${zip.entryCount} files, expected at most ${MOST_ENTRIES}`);
  const entries = new Map<string, ZipEntry>();
  for await (const entry of zip.eachEntry()) {
    const { fileName: name, compressionMethod, compressedSize, uncompressedSize } = entry;
    if (compressionMethod !== STORED || compressedSize !== uncompressedSize)
      throw new Error(`${JSON.stringify(name)} in it is compressed`);
    if (entries.has(name)) throw new Error(`${JSON.stringify(name)} is in it twice`);
    const { fileDataStart: begin } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    if (begin + uncompressedSize > size) throw new Error("the file is cut short");
    entries.set(name, { begin, size: uncompressedSize });
  }
  return entries;
}
