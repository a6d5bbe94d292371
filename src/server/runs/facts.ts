import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { hostname } from "node:os";
import { writtenChoice } from "../../runs/best.ts";
import { hasCheckpoint } from "../../runs/checkpoints.ts";
import { BEST_FILE, CHECKPOINTS } from "../../runs/folder.ts";
import { countVotes, readVotes, VOTES_FILE } from "../../runs/votes.ts";
import { readRequest } from "../../runs/requests.ts";
import { LOCK_FILE } from "../../system/lock.ts";
import { lockStatusAt } from "../../system/lock-file.ts";
import { residentBytes } from "../../system/processes.ts";
import type { RunFacts } from "../api.ts";

/** What a run's folder says beside its log, now and each time that it is asked: what has not changed is not read again. */
export function createFacts(run: string): () => Promise<RunFacts> {
  const checkpoints = createCheckpointList(run);
  const working = createWorkerWatch(run);
  const best = whenChanged(join(run, BEST_FILE), () => writtenChoice(run));
  const votes = whenChanged(join(run, VOTES_FILE), async () => countVotes(await readVotes(run).catch(() => [])));
  return async () => {
    const [worker, chosen, list, asked, liked] = await Promise.all([
      working(),
      best(),
      checkpoints(),
      readRequest(run),
      votes(),
    ]);
    return {
      live: worker !== undefined,
      memoryBytes: worker?.memoryBytes,
      asked,
      best: chosen,
      checkpoints: list,
      votes: liked,
    };
  };
}

/** Looks at a process this seldom: the system tells of each of its threads in a file of its own. */
const PROCESS_MS = 4000;

/** Who works in the folder. A lock that comes or goes is seen at once, a process that died without letting it go a little later. */
function createWorkerWatch(run: string): () => Promise<{ readonly memoryBytes?: number | undefined } | undefined> {
  let known:
    | {
        readonly at: number;
        readonly lock: number;
        readonly worker: { readonly memoryBytes?: number | undefined } | undefined;
      }
    | undefined;
  return async () => {
    const lock = (await stat(join(run, LOCK_FILE)).catch(() => undefined))?.mtimeMs ?? 0;
    if (known !== undefined && known.lock === lock && (lock === 0 || performance.now() - known.at < PROCESS_MS))
      return known.worker;
    const found = await workerOf(run);
    const worker = found && { memoryBytes: found.pid === undefined ? undefined : await residentBytes(found.pid) };
    known = { at: performance.now(), lock, worker };
    return worker;
  };
}

/** Who works in a run's folder; its number only where it is a process of this machine. */
export async function workerOf(run: string): Promise<{ readonly pid?: number } | undefined> {
  const status = await lockStatusAt(join(run, LOCK_FILE)).catch(() => undefined);
  if (status === undefined || status.fate === "dead" || status.fate === "damaged") return undefined;
  return status.holder.host === hostname() ? { pid: status.holder.pid } : {};
}

/** What is read of a file, read again when it is another. */
function whenChanged<T>(path: string, read: () => Promise<T>): () => Promise<T> {
  let known: { readonly at: number; readonly value: T } | undefined;
  return async () => {
    const info = await stat(path).catch(() => undefined);
    const at = info === undefined ? 0 : info.mtimeMs + info.ino;
    if (known?.at !== at) known = { at, value: await read() };
    return known.value;
  };
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
