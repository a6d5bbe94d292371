import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { hostname } from "node:os";
import { writtenChoice } from "../../runs/best.ts";
import { hasCheckpoint } from "../../runs/checkpoints.ts";
import { BEST_FILE, CHECKPOINTS } from "../../runs/folder.ts";
import { countVotes, readVotes, VOTES_FILE } from "../../runs/votes.ts";
import { readRequest, readValidationRequest } from "../../runs/requests.ts";
import { LOCK_FILE } from "../../system/lock.ts";
import { lockStatusAt } from "../../system/lock-file.ts";
import { residentBytes } from "../../system/processes.ts";
import type { RunFacts } from "../api.ts";
import { areAsTheyWere, areSettled, sizeOf, timeOf, type Times } from "./size.ts";

/** What a run's folder says beside its log, now and each time that it is asked: what has not changed is not read again. */
export function createFacts(run: string): () => Promise<RunFacts> {
  const checkpoints = createCheckpointList(run);
  const working = createWorkerWatch(run);
  const best = whenChanged(join(run, BEST_FILE), () => writtenChoice(run));
  const votes = whenChanged(join(run, VOTES_FILE), async () => countVotes(await readVotes(run).catch(() => [])));
  return async () => {
    const [worker, chosen, list, asked, validating, liked] = await Promise.all([
      working(),
      best(),
      checkpoints(),
      readRequest(run),
      readValidationRequest(run),
      votes(),
    ]);
    return {
      live: worker !== undefined,
      memoryBytes: worker?.memoryBytes,
      asked,
      isValidationAsked: validating !== undefined,
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
  const folder = join(run, CHECKPOINTS);
  let known: { readonly times: Times; readonly list: CheckpointList } | undefined;
  return async () => {
    if (known !== undefined && areSettled(known.times) && (await areAsTheyWere(known.times))) return known.list;
    const times = new Map([[folder, await timeOf(folder)]]);
    const names = await readdir(folder).catch((): string[] => []);
    const list: { readonly step: number; readonly bytes: number }[] = [];
    for (const name of names.filter((each) => /^\d{6,7}$/.test(each))) {
      const path = join(folder, name);
      times.set(path, await timeOf(path));
      if (await hasCheckpoint(run, Number(name))) list.push({ step: Number(name), bytes: await sizeOf(path) });
    }
    known = { times, list: list.sort((a, b) => a.step - b.step) };
    return known.list;
  };
}
