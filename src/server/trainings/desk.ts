import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, makeFolder, writeFileAtomic, writeJson } from "../../system/files.ts";
import { oneLine } from "../../system/printable.ts";
import { MOST_BYTES, readEnd, readText } from "../../system/regular-files.ts";
import type { TrainingJob } from "./jobs.ts";

/** What a training's process is given and leaves, in a folder of the job's own below the runs: another server may read it. */
export interface Desk {
  readonly folder: string;
  /** Settings of a new run. */
  readonly config: string;
  /** What it says. */
  readonly said: string;
  /** There once it was told to begin. */
  readonly begun: string;
  /** Its exit code. */
  readonly exit: string;
}

/** In the folder, where a training is to stop that cannot be asked through its run's folder. */
export const STOP_FILE = "stop";
/** What `begun` says where the process looks for that; earlier versions did not. */
export const HEEDS_STOP = "stop\n";

const DESKS = ".rpo-trainings";
/** How much of the end of what a training said is looked through for its last line. */
const LAST_SAID = 64e3;

export function deskOf(root: string, { id }: Pick<TrainingJob, "id">): Desk {
  const folder = join(root, DESKS, id);
  return {
    folder,
    config: join(folder, "settings.json"),
    said: join(folder, "said.txt"),
    begun: join(folder, "begun"),
    exit: join(folder, "exit-code.txt"),
  };
}

export async function layDesk({ folder, config }: Desk, { settings }: TrainingJob): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  if (settings !== undefined) await writeJson(config, settings);
}

export async function clearDesk({ folder }: Desk): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

/** Removes the desks of trainings that nobody knows of any more. */
export async function clearOthers(root: string, jobs: readonly TrainingJob[]): Promise<void> {
  const known = new Set(jobs.map(({ id }) => id));
  for (const name of await readdir(join(root, DESKS)).catch((): string[] => []))
    if (/^[0-9a-f-]{36}$/.test(name) && !known.has(name)) await clearDesk(deskOf(root, { id: name }));
}

/** Whether a training's process was told to begin, or began under a version that wrote down nothing but how it ended. */
export async function hasBegun({ begun, exit }: Desk): Promise<boolean> {
  return (await exists(begun)) || (await exists(exit));
}

/** Asks a training's process to stop as Ctrl-C does. @returns whether it will look for that */
export async function askToStop({ folder, begun }: Desk): Promise<boolean> {
  const said = await readText(begun, { atMost: MOST_BYTES.word }).catch(() => "");
  if (said !== HEEDS_STOP) return false;
  await writeFileAtomic(join(folder, STOP_FILE), Buffer.from(""));
  return true;
}

/** The code that a training ended with; undefined where it was killed. */
export async function exitCodeIn({ exit }: Desk): Promise<number | undefined> {
  const text = (await readText(exit, { atMost: MOST_BYTES.word }).catch(() => "")).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What a failed command says last: "rpo: runs/dog: no such folder". */
export async function lastSaidIn({ said }: Desk): Promise<string> {
  const text = await readEnd(said, LAST_SAID).catch(() => "");
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return oneLine(lines.findLast((line) => line.startsWith("rpo: "))?.slice(5) ?? lines.at(-1) ?? "", 600);
}
