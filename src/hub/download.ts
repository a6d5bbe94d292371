import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ModelError } from "../system/errors.ts";
import { cannotWrite, makeFolder } from "../system/files.ts";
import type { RepoCache } from "./cache.ts";
import { isRight, type Checked } from "./checked.ts";
import type { Client } from "./http.ts";
import type { HubFile } from "./listing.ts";
import { withLock } from "./lock.ts";
import { nameOf, type HubName } from "./names.ts";
import { fetchStretch, sizeOf } from "./stretch.ts";

export interface Download {
  readonly client: Client;
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

/** Fetches until the partial file has its size. */
async function fetchWhole(partial: string, download: Download): Promise<void> {
  const { client, name, commit, file, signal } = download;
  const { path, size } = file;
  const url = `/${name.repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
  const onBytes = download.onBytes ?? inWords(download);
  await fetchStretch(partial, { client, url, what: `${nameOf(name)}: ${path}`, size, signal, onBytes });
}

/** Says now and then how much there is of a file that comes without a bar. */
function inWords({ client, name, file, say }: Download): (done: number) => void {
  let last = performance.now();
  return (done) => {
    if (performance.now() - last < client.silenceMs) return;
    last = performance.now();
    say(`${nameOf(name)}: ${file.path}: ${done} of ${file.size} bytes so far`);
  };
}

/** Checks a partial file, and removes it when it is not what it should be. */
async function isRightOrGone(path: string, { file, signal }: Download): Promise<boolean> {
  const right = await isRight(path, file, signal);
  if (!right) await rm(path, { force: true });
  return right;
}
