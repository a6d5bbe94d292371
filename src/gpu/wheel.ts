import { RandomAccessReader, fromRandomAccessReaderPromise, type Entry } from "yauzl";
import { Readable } from "node:stream";
import { decodeText } from "../system/decode-text.ts";
import { ModelError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { staysInside } from "../system/inside.ts";
import { parseMetadata, parseRecord, type Metadata, type RecordedFile } from "./metadata.ts";
import { parseWheelName } from "./wheel-name.ts";
import type { WheelBytes } from "./wheel-bytes.ts";

/** A file in a wheel. */
export interface Member extends RecordedFile {
  /** How many bytes it has in the wheel, and from where on. */
  readonly packedBytes: number;
  readonly isDeflated: boolean;
  begin(): Promise<number>;
}

/** A wheel, whose files' sizes and hashes are known and none of which has been read. */
export interface Wheel {
  readonly bytes: WheelBytes;
  readonly metadata: Metadata;
  /** Of those that its RECORD gives a hash of. */
  readonly members: readonly Member[];
}

const MOST_MEMBERS = 20_000;
/** Of a wheel's own lists and texts. */
const MOST_TEXT_BYTES = 16e6;
/** Of one library; the largest has 0.6 GB. */
const MOST_FILE_BYTES = 8e9;

const STORED = 0;
const DEFLATED = 8;

/**
 * Reads a wheel's list of contents, and its RECORD and METADATA.
 * @throws ModelError when it is no wheel, or damaged
 */
export async function openWheel(bytes: WheelBytes): Promise<Wheel> {
  const fail = (reason: string): never => {
    throw new ModelError(`${bytes.filename}: ${reason}`);
  };
  const named =
    parseWheelName(bytes.filename) ?? fail("expected a wheel's name (package-version-py3-none-platform.whl)");
  try {
    const zip = await fromRandomAccessReaderPromise(new WheelReader(bytes), bytes.size, {
      autoClose: false,
      lazyEntries: true,
      strictFileNames: true,
    });
    if (zip.entryCount > MOST_MEMBERS) fail(`it holds ${zip.entryCount} files, expected at most ${MOST_MEMBERS}`);
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) if (staysInside(entry.fileName)) entries.set(entry.fileName, entry);
    const textOf = async (path: string): Promise<string> => {
      const entry = entries.get(path) ?? fail(`it has no ${path}`);
      if (Math.max(entry.compressedSize, entry.uncompressedSize) > MOST_TEXT_BYTES) fail(`${path} is too long`);
      const stream = await zip.openReadStreamPromise(entry);
      // yauzl tells a damaged member's second fault when the first has ended the reading, and nobody listens any more
      stream.on("error", () => undefined);
      const parts: Buffer[] = [];
      for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
      try {
        return decodeText(Buffer.concat(parts));
      } catch (error) {
        return fail(`${path}: ${reasonOf(error)}`);
      }
    };
    const info =
      [...entries.keys()].find((path) => /^[^/]+\.dist-info\/METADATA$/.test(path)) ?? fail("it has no METADATA");
    const folder = info.slice(0, info.indexOf("/"));
    const metadata = parseMetadata(await textOf(info), bytes.filename);
    if (metadata.name !== named.name || metadata.version !== named.versionText)
      fail(`it says that it is ${metadata.name} ${metadata.version}`);
    const members = parseRecord(await textOf(`${folder}/RECORD`)).flatMap((file): Member[] => {
      const entry = entries.get(file.path);
      if (entry === undefined || entry.isEncrypted()) return [];
      if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) return [];
      if (entry.uncompressedSize !== file.size || file.size > MOST_FILE_BYTES) return [];
      const begin = () =>
        zip.readLocalFileHeaderPromise(entry, { minimal: true }).then(
          ({ fileDataStart }) => fileDataStart,
          (error: unknown) => {
            throw inWords(error, bytes);
          },
        );
      const isDeflated = entry.compressionMethod === DEFLATED;
      return [{ ...file, packedBytes: entry.compressedSize, isDeflated, begin }];
    });
    return { bytes, metadata, members };
  } catch (error) {
    throw inWords(error, bytes);
  }
}

/** What the libraries say of what they read: their errors have no kind of their own, and no codes but zlib's. */
function inWords(error: unknown, { filename }: WheelBytes): unknown {
  if (!(error instanceof Error) || error.name !== "Error") return error;
  if ("code" in error && !String(error.code).startsWith("Z_")) return error;
  return new ModelError(`${filename}: it cannot be read as a wheel: ${error.message}`, { cause: error });
}

/** What reads a zip file, on our bytes. */
class WheelReader extends RandomAccessReader {
  readonly #bytes: WheelBytes;

  constructor(bytes: WheelBytes) {
    super();
    this.#bytes = bytes;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#bytes.read(position, length).then(
      (found) => {
        found.copy(buffer, offset);
        callback(null);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const bytes = this.#bytes;
    return Readable.from(
      (async function* () {
        yield await bytes.read(start, end - start);
      })(),
    );
  }
}
