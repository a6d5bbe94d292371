import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { DownloadStopped } from "../hub/errors.ts";
import { TRIES, type Client } from "../hub/http.ts";
import { fetchStretch } from "../hub/stretch.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { cannotWrite, readFully, reasonOf } from "../system/files.ts";

/** The bytes of a wheel, wherever it is. */
export interface WheelBytes {
  /** The file's name. */
  readonly filename: string;
  /** Where it is, for people. */
  readonly from: string;
  readonly size: number;
  /** Some bytes, in memory. */
  read(position: number, length: number): Promise<Buffer>;
  /** Brings `size` bytes from `begin` on into a file, after those that are there from an earlier try. */
  bring(into: string, begin: number, size: number, onBytes: (done: number) => void): Promise<void>;
  close(): Promise<void>;
}

export interface BytesOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A wheel's list of contents is at its end, and mostly shorter than this. */
const WINDOW_BYTES = 64 * 2 ** 10 + 22;

/** The server does not give parts of a file: the whole has to be fetched. */
export class NoRanges extends Error {}

export interface RemoteFile {
  readonly filename: string;
  readonly url: URL;
}

/**
 * A wheel on a server, of which only those bytes are fetched that are asked for.
 * @throws NoRanges, Unreachable, UsageError, ModelError
 */
export async function remoteBytes(
  client: Client,
  { filename, url }: RemoteFile,
  { signal }: BytesOptions = {},
): Promise<WheelBytes> {
  const what = filename;
  const from = `${url.origin}${url.pathname}`;
  const askOnce = async (range: string, most: number) => {
    const headers = { "accept-encoding": "identity", range: `bytes=${range}` };
    const answer = await client.open(url, { what, headers });
    const [, begin, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers["content-range"] ?? "") ?? [];
    if (answer.status !== 206 || begin === undefined || total === undefined) {
      answer.body.on("error", () => undefined).destroy();
      if (answer.status === 200) throw new NoRanges(what);
      throw new ModelError(`${what}: ${client.name} does not say which bytes it sends`);
    }
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of answer.body as AsyncIterable<Buffer>) {
      length += part.byteLength;
      if (length > most) throw new ModelError(`${what}: ${client.name} sends more than was asked for`);
      parts.push(part);
    }
    return { begin: Number(begin), total: Number(total), bytes: Buffer.concat(parts) };
  };
  const ask = async (range: string, most: number) => {
    for (let tries = 1; ; tries++)
      try {
        return await askOnce(range, most);
      } catch (error) {
        if (signal?.aborted === true) throw new DownloadStopped();
        // only what happens to a connection has a code
        if (tries === TRIES || !(error instanceof Error && "code" in error)) throw error;
        await client.pause(tries);
      }
  };
  const end = await ask(`-${WINDOW_BYTES}`, WINDOW_BYTES);
  const size = end.total;
  // what was read last, and the end, where the list of contents is: it is read in little pieces
  let windows = [end];
  return {
    filename,
    from,
    size,
    async read(position, length) {
      const known = windows.find(
        (each) => each.begin <= position && position + length <= each.begin + each.bytes.length,
      );
      if (known !== undefined) return known.bytes.subarray(position - known.begin, position - known.begin + length);
      const most = Math.min(size - position, Math.max(length, WINDOW_BYTES));
      const found = await ask(`${position}-${position + most - 1}`, most);
      if (found.begin !== position || found.total !== size || found.bytes.length < length)
        throw new ModelError(`${what}: ${client.name} sends other bytes than were asked for`);
      windows = [end, found];
      return found.bytes.subarray(0, length);
    },
    bring: (into, begin, count, onBytes) =>
      fetchStretch(into, { client, url, what, begin, size: count, total: size, signal, onBytes }),
    close: () => Promise.resolve(),
  };
}

const COPY_BYTES = 4 * 2 ** 20;

/** A wheel that is a file here. @throws UsageError when it cannot be read */
export async function localBytes(path: string, { signal }: BytesOptions = {}): Promise<WheelBytes> {
  let file: FileHandle;
  let size: number;
  try {
    // opening a pipe would wait for whoever writes to it
    const info = await stat(path);
    if (!info.isFile()) throw new Error("expected a wheel, but it is no file");
    file = await open(path);
    size = (await file.stat()).size;
  } catch (error) {
    throw new UsageError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
  const read = async (position: number, length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length);
    if (!(await readFully(file, bytes, position))) throw new UsageError(`${path}: the file ends too early`);
    return bytes;
  };
  return {
    filename: basename(path),
    from: resolve(path),
    size,
    read,
    async bring(into, begin, count, onBytes) {
      const target = await open(into, "w");
      try {
        for (let done = 0; done < count;) {
          if (signal?.aborted === true) throw new DownloadStopped();
          const part = await read(begin + done, Math.min(COPY_BYTES, count - done));
          await target.writeFile(part).catch((error: unknown) => {
            throw cannotWrite(into, error);
          });
          done += part.byteLength;
          onBytes(done);
        }
      } finally {
        await target.close();
      }
    },
    close: () => file.close(),
  };
}
