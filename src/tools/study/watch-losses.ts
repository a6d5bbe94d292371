import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { listImages } from "../../images/folder.ts";
import type { Measured } from "../../reward/fixed-loss.ts";
import { readEvents } from "../../runs/folder.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import { exists, makeFolder, readJson, writeJson } from "../../system/files.ts";
import { measuredIn } from "../../training/stopping.ts";
import { photosOf, subjectOf, train, type PerformOptions } from "./perform.ts";
import type { WatchedLosses } from "./grade-run.ts";
import { ownPrompts } from "./prompts.ts";
import type { StudyRun } from "./studies.ts";

/** Steps from one measurement to the next. */
const EVERY = 10;

/** Longer than any study: no rule ends these trainings. */
const NEVER = 1e6;

function lossesPath(output: string, { name }: StudyRun): string {
  return join(output, "losses", `${name}.json`);
}

/** @returns undefined where a run's losses have not been watched */
export async function readLosses(output: string, run: StudyRun): Promise<WatchedLosses | undefined> {
  const path = lossesPath(output, run);
  // the study's own file
  return (await exists(path)) ? ((await readJson(path)) as WatchedLosses) : undefined;
}

/** Trains a run twice more, drawing next to nothing, and keeps the losses; leaves what is there. @returns false when interrupted */
export async function watchLosses(run: StudyRun, options: PerformOptions): Promise<boolean> {
  const { output } = options;
  const file = lossesPath(output, run);
  if (await exists(file)) return true;
  const photos = await listImages(await photosOf(run, output));
  const fixed = await losses(run, { stop: "variance", stopWindow: NEVER }, options);
  if (fixed === undefined) return false;
  const holdOut = basename(photos[photos.length - 1]);
  const heldOut = await losses(run, { stop: "held-out", patience: NEVER, holdOut }, options);
  if (heldOut === undefined) return false;
  await makeFolder(join(file, ".."));
  await writeJson(file, { fixed, heldOut } satisfies WatchedLosses);
  return true;
}

/** @returns undefined when interrupted */
async function losses(
  run: StudyRun,
  rule: GivenSettings & { readonly stop: "variance" | "held-out" },
  { output, ...options }: PerformOptions,
): Promise<readonly Measured[] | undefined> {
  const { training, validation } = await ownPrompts(subjectOf(run).className);
  const prompts = join(output, "prompts", "one.json");
  await makeFolder(join(output, "prompts"));
  await writeJson(prompts, { training, validation: validation.slice(0, 1) });
  const name = join("watched", run.name, rule.stop);
  const settings = { ...run.settings, ...rule, earlyStopping: true, stopEvery: EVERY, validationImages: 1 };
  const folder = await train({ ...run, name, settings }, prompts, { output, ...options });
  if (folder === undefined) return undefined;
  const steps = (await readEvents(folder)).filter((event) => event.type === "step");
  await rm(folder, { recursive: true, force: true });
  return measuredIn(steps, { earlyStopping: true, stop: rule.stop });
}
