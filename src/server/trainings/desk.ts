import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, makeFolder, writeJson } from "../../system/files.ts";
import { oneLine } from "../../system/printable.ts";
import { MOST_BYTES, readText } from "../../system/regular-files.ts";
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

const DESKS = ".rpo-trainings";
/** What a training may say. */
const MOST_SAID = 4e6;

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

/** The code that a training ended with; undefined where it was killed. */
export async function exitCodeIn({ exit }: Desk): Promise<number | undefined> {
  const text = (await readText(exit, { atMost: MOST_BYTES.word }).catch(() => "")).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What a failed command says last: "rpo: runs/dog: no such folder". */
export async function lastSaidIn({ said }: Desk): Promise<string> {
  const text = await readText(said, { atMost: MOST_SAID }).catch(() => "");
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return oneLine(lines.findLast((line) => line.startsWith("rpo: "))?.slice(5) ?? lines.at(-1) ?? "", 600);
}
