import { constants } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { ModelError } from "../system/errors.ts";
import { cannotWrite, makeFolder } from "../system/files.ts";
import type { RepoCache } from "./cache.ts";
import { isRight, type Checked } from "./checked.ts";
import { checkStopped, DownloadStopped, Unreachable } from "./errors.ts";
import type { HubAnswer } from "./answers.ts";
import { TRIES, type HubClient } from "./http.ts";
import type { HubFile } from "./listing.ts";
import { withLock } from "./lock.ts";
import { nameOf, type HubName } from "./names.ts";
import { paceOver } from "./pace.ts";

export interface Download {
  readonly client: HubClient;
  readonly cache: RepoCache;
  readonly checked: Checked;
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
/** A connection that brings less than this counts as a failed try. */
const HEADWAY = 64 * 2 ** 10;
/** The time over which a download's speed is measured, in units of the longest silence: a minute. */
const SILENCES_A_PACE = 2;

/**
 * Fetches a file's content into the cache's blobs, where it appears whole and checked by its hash, or not at all.
 *
 * What has come is in `<blob>.rpo.incomplete` until then, where the next try goes on, in this process or another. Bytes are written
 * at their places and the file is never cut, so that even two processes that write to it at once leave it right.
 *
 * @throws Unreachable, DownloadStopped; ModelError when the content is not what the listing says; Error when the disk does not take it
 */
export async function fetchBlob(download: Download): Promise<void> {
  const { cache, checked, file, signal, say } = download;
  const blob = cache.blob(file);
  const isThere = async () => (await checked.conditionOf(blob, file)) === "whole";
  if (await isThere()) return;
  await makeFolder(dirname(blob));
  const onWait = () => say(`waiting for another process that fetches ${file.path}`);
  await withLock(cache.lock(file), { signal, onWait }, async () => {
    if (await isThere()) return;
    const partial = `${blob}${PARTIAL}`;
    const resumed = await sizeOf(partial);
    try {
      await fetchWhole(partial, download);
      if (!(await isRightOrGone(partial, download))) {
        // what an earlier try left may be at fault
        if (resumed > 0) await fetchWhole(partial, download);
        if (resumed === 0 || !(await isRightOrGone(partial, download))) throw damaged(download);
      }
      await rename(partial, blob);
      await checked.note(blob, file);
    } catch (error) {
      // another process may have been faster, with the same content
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || !(await isThere()))
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
async function fetchWhole(partial: string, download: Download): Promise<void> {
  const { client, name, commit, file, signal } = download;
  const onBytes = download.onBytes ?? inWords(download);
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
      onBytes(done);
      try {
        // sizes and ranges are those of the file as it is
        const headers = { "accept-encoding": "identity", ...(done > 0 && { range: `bytes=${done}-` }) };
        const answer = await client.open(url, { what, headers, patient: true });
        done = startOf(answer, { what, done, size });
        const pace = paceOver(SILENCES_A_PACE * client.silenceMs);
        for await (const part of answer.body as AsyncIterable<Buffer>) {
          if (done + part.byteLength > size)
            throw new ModelError(`${what}: the hub sends more than the ${size} bytes it told of`);
          await writeAt(target, part, done).catch((error: unknown) => {
            throw cannotWrite(partial, error);
          });
          done += part.byteLength;
          onBytes(done);
          if (pace.isTooSlow(part.byteLength)) throw new InDrops();
        }
        if (done < size) throw new CutShort();
      } catch (error) {
        if (signal?.aborted === true) throw new DownloadStopped();
        if (!isPassing(error)) throw error;
        // a server that begins again each time, or ends after a few bytes, makes no headway
        tries = done >= furthest + HEADWAY ? 1 : tries + 1;
        furthest = Math.max(furthest, done);
        if (tries > TRIES)
          throw new Unreachable(
            error instanceof InDrops
              ? `${what}: the download is too slow, ${done} of ${size} bytes so far; try again later`
              : `${what}: the download was cut short again and again; try again later`,
            { cause: error },
          );
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

/** An answer that ended before its time, */
class CutShort extends Error {}
/** or was given up because hardly anything came. */
class InDrops extends CutShort {}

/** Says now and then how much there is of a file that comes without a bar. */
function inWords({ client, name, file, say }: Download): (done: number) => void {
  let last = performance.now();
  return (done) => {
    if (performance.now() - last < client.silenceMs) return;
    last = performance.now();
    say(`${nameOf(name)}: ${file.path}: ${done} of ${file.size} bytes so far`);
  };
}

/** Whether to go on: after what happens to a connection, whose errors have codes, not after what the disk or the hub says. */
function isPassing(error: unknown): boolean {
  return error instanceof CutShort || (error instanceof Error && "code" in error);
}

/** Checks a partial file, and removes it when it is not what it should be. */
async function isRightOrGone(path: string, { file, signal }: Download): Promise<boolean> {
  const right = await isRight(path, file, signal);
  if (!right) await rm(path, { force: true });
  return right;
}
