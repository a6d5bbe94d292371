import { join } from "node:path";
import { readRunConfig } from "../runs/config.ts";
import type { RunEvent } from "../runs/events.ts";
import { EVENTS_FILE, readEvents } from "../runs/folder.ts";
import type { Judging } from "../runs/judged.ts";
import { JUDGE } from "../settings/judge.ts";
import { TRAIN } from "../settings/train.ts";
import { settingsWhere } from "../settings/setting.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { say, setting } from "../system/message.ts";

/** A run of `rpo judge` that goes on: with more files, or after it was stopped. */

/** Of a run's folder that judges: readers of the run know whose it is. */
export const JUDGE_LOCK = { command: "rpo judge", otherMachines: false } as const;

/** What says where things are, which may move, and what the machine decides. */
const MAY_DIFFER = [
  ...Object.keys(settingsWhere(TRAIN, ({ isPlace }) => isPlace === true)),
  "threads",
  "device",
  "precision",
];

/** What pictures that are there say themselves. */
const OF_PICTURES = ["validationImages", "resolution"];

/**
 * @throws UsageError when the folder holds a training, or a run that judges something else
 */
export async function checkSameJudging(run: string, request: TrainRequest, { samples }: Judging): Promise<void> {
  const { settings, judging } = await readRunConfig(run);
  if (judging === undefined)
    throw new UsageError(say`${setting("output", run)}: already holds a training; choose another folder`);
  if (judging.samples !== samples)
    throw new UsageError(
      say`${setting("output", run)}: it judges ${judging.samples === undefined ? "pictures that it draws itself" : `the pictures in ${judging.samples}`}; choose another folder`,
    );
  const [before, now] = [settings, request].map((each) => new Map<string, unknown>(Object.entries(each)));
  const own = samples === undefined ? MAY_DIFFER : [...MAY_DIFFER, ...OF_PICTURES];
  for (const key of Object.keys(JUDGE)) {
    if (own.includes(key) || !(key in TRAIN) || now.get(key) === undefined) continue;
    const [then, asked] = [before, now].map((values) => JSON.stringify(values.get(key)));
    if (then !== asked)
      throw new UsageError(
        say`${setting("output", run)}: it judges with ${setting(key, then)}, not with ${asked}; leave that as it was, or choose another folder`,
      );
  }
}

/** The events of a run that goes on; none before its first. */
export async function eventsBefore(run: string): Promise<RunEvent[]> {
  return (await exists(join(run, EVENTS_FILE))) ? readEvents(run) : [];
}
