import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { ModelError } from "../tensor/errors.ts";
import { cannotWrite, makeFolder, readFully } from "../tensor/files.ts";
import { isThere, type RepoCache } from "./cache.ts";
import { checkStopped, DownloadStopped, Unreachable } from "./errors.ts";
import { TRIES, type HubAnswer, type HubClient } from "./http.ts";
import type { HubFile } from "./listing.ts";
import { withLock } from "./lock.ts";
import { nameOf, type HubName } from "./names.ts";

export interface Download {
  readonly client: HubClient;
  readonly cache: RepoCache;
  readonly name: HubName;
  readonly commit: string;
  readonly file: HubFile;
  readonly signal?: AbortSignal | undefined;
  /** Told how much of the file is there; less than before where a server makes us begin again. */
  readonly onBytes?: ((done: number) => void) | undefined;
  readonly say: (line: string) => void;
}

/** Tells the user's own tools, and Python's, that the file is not whole. */
export const PARTIAL = ".rpo.incomplete";
const CHUNK = 4 * 2 ** 20;

/**
 * Fetches a file's content into the cache's blobs, where it appears whole and checked by its hash, or not at all.
 *
 * What has come is in `<blob>.rpo.incomplete` until then, where the next try goes on, in this process or another. Bytes are written
 * at their places and the file is never cut, so that even two processes that write to it at once leave it right.
 *
 * @throws Unreachable, DownloadStopped; ModelError when the content is not what the listing says; Error when the disk does not take it
 */
export async function fetchBlob(download: Download): Promise<void> {
  const { cache, file, signal, say } = download;
  const blob = cache.blob(file);
  if (await isThere(blob, file.size)) return;
  await makeFolder(dirname(blob));
  const onWait = () => say(`waiting for another process that fetches ${file.path}`);
  await withLock(cache.lock(file), { signal, onWait }, async () => {
    if (await isThere(blob, file.size)) return;
    const partial = `${blob}${PARTIAL}`;
    const resumed = await sizeOf(partial);
    try {
      await fetchWhole(partial, download);
      if (!(await isRight(partial, file))) {
        // what an earlier try left may be at fault
        if (resumed > 0) await fetchWhole(partial, download);
        if (resumed === 0 || !(await isRight(partial, file))) throw damaged(download);
      }
      await rename(partial, blob);
    } catch (error) {
      // another process may have been faster, with the same content
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || !(await isThere(blob, file.size)))
        throw error instanceof Error && "code" in error ? cannotWrite(partial, error) : error;
    }
  });
}

function damaged({ name, file }: Download): ModelError {
  const hash = file.sha256 === undefined ? "git hash" : "SHA-256";
  return new ModelError(
    `${nameOf(name)}: ${file.path}: what was fetched has not the ${hash} that the hub gives and was thrown away; try again`,
  );
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Fetches until the partial file has its size. */
async function fetchWhole(partial: string, { client, name, commit, file, signal, onBytes }: Download): Promise<void> {
  const { path, size } = file;
  const what = `${nameOf(name)}: ${path}`;
  const url = `/${name.repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
  if ((await sizeOf(partial)) > size) await rm(partial);
  const target = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o666);
  try {
    let done = await sizeOf(partial);
    let furthest = done;
    for (let tries = 1; done < size;) {
      checkStopped(signal);
      onBytes?.(done);
      try {
        // sizes and ranges are those of the file as it is
        const headers = { "accept-encoding": "identity", ...(done > 0 && { range: `bytes=${done}-` }) };
        const answer = await client.open(url, { what, headers, patient: true });
        done = startOf(answer, { what, done, size });
        for await (const part of answer.body as AsyncIterable<Buffer>) {
          if (done + part.byteLength > size)
            throw new ModelError(`${what}: the hub sends more than the ${size} bytes it told of`);
          await writeAt(target, part, done).catch((error: unknown) => {
            throw cannotWrite(partial, error);
          });
          done += part.byteLength;
          onBytes?.(done);
        }
        if (done < size) throw new CutShort();
      } catch (error) {
        if (signal?.aborted === true) throw new DownloadStopped();
        if (!isPassing(error)) throw error;
        // a server that begins again each time makes no headway
        tries = done > furthest ? 1 : tries + 1;
        furthest = Math.max(furthest, done);
        if (tries > TRIES)
          throw new Unreachable(`${what}: the download was cut short again and again; try again later`, {
            cause: error,
          });
        await client.pause(tries);
      }
    }
    await target.sync();
  } finally {
    await target.close();
  }
}

interface Place {
  readonly what: string;
  readonly done: number;
  readonly size: number;
}

/** Where in the file an answer begins. A server that knows no ranges sends everything. @throws ModelError, the body given up */
function startOf(answer: HubAnswer, place: Place): number {
  const problem = problemOf(answer, place);
  if (problem === undefined) return answer.status === 200 ? 0 : place.done;
  answer.body.on("error", () => undefined).destroy();
  throw new ModelError(`${place.what}: the hub sends ${problem}`);
}

function problemOf({ status, headers }: HubAnswer, { done, size }: Place): string | undefined {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") return `it as ${encoding}, which was not asked for`;
  if (status === 200) {
    const length = headers["content-length"];
    return length === undefined || Number(length) === size ? undefined : `${length} bytes, and told of ${size}`;
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers["content-range"] ?? "");
  if (range !== null && Number(range[1]) === done && (range[2] === "*" || Number(range[2]) === size)) return undefined;
  return `${headers["content-range"] ?? "no range"}, expected bytes ${done}-${size - 1}/${size}`;
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength;)
    at += (await file.write(bytes, at, bytes.byteLength - at, position + at)).bytesWritten;
}

/** An answer that ended before its time. */
class CutShort extends Error {}

/** Whether to go on: after what happens to a connection, whose errors have codes, not after what the disk or the hub says. */
function isPassing(error: unknown): boolean {
  return error instanceof CutShort || (error instanceof Error && "code" in error);
}

/** Checks a partial file, and removes it when it is not what it should be. */
async function isRight(path: string, { size, sha256, gitHash }: HubFile): Promise<boolean> {
  const hash = createHash(sha256 === undefined ? "sha1" : "sha256");
  if (sha256 === undefined) hash.update(`blob ${size}\0`);
  const file = await open(path, "r");
  try {
    const buffer = Buffer.alloc(Math.min(CHUNK, size));
    for (let at = 0; at < size; at += buffer.byteLength) {
      const part = buffer.subarray(0, Math.min(buffer.byteLength, size - at));
      if (!(await readFully(file, part, at))) break;
      hash.update(part);
    }
  } finally {
    await file.close();
  }
  const right = hash.digest("hex") === (sha256 ?? gitHash);
  if (!right) await rm(path, { force: true });
  return right;
}
