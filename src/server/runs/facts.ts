import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { hostname } from "node:os";
import { writtenChoice } from "../../runs/best.ts";
import { hasCheckpoint } from "../../runs/checkpoints.ts";
import { CHECKPOINTS } from "../../runs/folder.ts";
import { countVotes, readVotes } from "../../runs/votes.ts";
import { readRequest } from "../../runs/requests.ts";
import { LOCK_FILE } from "../../system/lock.ts";
import { lockStatusAt } from "../../system/lock-file.ts";
import { residentBytes } from "../../system/processes.ts";
import type { RunFacts } from "../api.ts";

/** What a run's folder says beside its log, now and each time that it is asked: what has not changed is not read again. */
export function createFacts(run: string): () => Promise<RunFacts> {
  const checkpoints = createCheckpointList(run);
  return async () => {
    const [worker, best, list, asked, votes] = await Promise.all([
      workerOf(run),
      writtenChoice(run),
      checkpoints(),
      readRequest(run),
      readVotes(run).catch(() => []),
    ]);
    const memoryBytes = worker?.pid === undefined ? undefined : await residentBytes(worker.pid);
    return { live: worker !== undefined, memoryBytes, asked, best, checkpoints: list, votes: countVotes(votes) };
  };
}

/** Who works in a run's folder; its number only where it is a process of this machine. */
export async function workerOf(run: string): Promise<{ readonly pid?: number } | undefined> {
  const status = await lockStatusAt(join(run, LOCK_FILE)).catch(() => undefined);
  if (status === undefined || status.fate === "dead" || status.fate === "damaged") return undefined;
  return status.holder.host === hostname() ? { pid: status.holder.pid } : {};
}

type CheckpointList = RunFacts["checkpoints"];

/** Which checkpoints are there; a folder's time changes with what is in it. */
function createCheckpointList(run: string): () => Promise<CheckpointList> {
  let known: { readonly at: number; readonly list: CheckpointList } | undefined;
  return async () => {
    const at = (await stat(join(run, CHECKPOINTS)).catch(() => undefined))?.mtimeMs ?? 0;
    if (known?.at === at) return known.list;
    const names = await readdir(join(run, CHECKPOINTS)).catch((): string[] => []);
    const list: { readonly step: number; readonly bytes: number }[] = [];
    for (const name of names.filter((each) => /^\d{6,7}$/.test(each)))
      if (await hasCheckpoint(run, Number(name)))
        list.push({ step: Number(name), bytes: await bytesIn(join(run, CHECKPOINTS, name)) });
    known = { at, list: list.sort((a, b) => a.step - b.step) };
    return known.list;
  };
}

/** Of all files below a folder; links are not followed. */
export async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesIn(path);
    else if (entry.isFile()) bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
