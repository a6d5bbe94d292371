import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { EVENTS_FILE } from "../../runs/folder.ts";

/**
 * How much a run takes on the disk. A folder's time changes with what is put into it and taken out of it, and the only files of a run that
 * change where they stand grow with its log; so a run is counted again when one of its folders or the log is another than it was.
 */
interface Counted {
  readonly bytes: number;
  readonly times: Times;
}

/** When folders and files were changed, in milliseconds since 1970, by their paths; 0 where there is none. */
export type Times = ReadonlyMap<string, number>;

/** A time this young may be that of a later change too: clocks of file systems tick, some in steps of two seconds. */
const YOUNG_MS = 2500;
/** Runs that are remembered. */
const MOST = 10_000;

const known = new Map<string, Counted>();

/** In bytes, of all files below a folder; links are not followed. */
export async function sizeOf(folder: string): Promise<number> {
  const before = known.get(folder);
  if (before !== undefined && (await areAsTheyWere(before.times))) return before.bytes;
  known.delete(folder);
  const counted = await count(folder);
  if (areSettled(counted.times) && known.size < MOST) known.set(folder, counted);
  return counted.bytes;
}

/** Whether a change after these times would have another time. */
export function areSettled(times: Times): boolean {
  return [...times.values()].every((time) => Date.now() - time > YOUNG_MS);
}

export async function areAsTheyWere(times: Times): Promise<boolean> {
  for (const [path, time] of times) if ((await timeOf(path)) !== time) return false;
  return true;
}

export async function timeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

async function count(run: string): Promise<Counted> {
  const times = new Map<string, number>();
  let bytes = 0;
  const look = async (folder: string): Promise<void> => {
    // before its files, so that a change meanwhile is seen
    times.set(folder, await timeOf(folder));
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await look(path);
      if (!entry.isFile()) continue;
      const info = await stat(path).catch(() => undefined);
      bytes += info?.size ?? 0;
      if (folder === run && entry.name === EVENTS_FILE) times.set(path, info?.mtimeMs ?? 0);
    }
  };
  await look(run);
  return { bytes, times };
}
