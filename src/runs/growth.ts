import { createHash } from "node:crypto";
import { join } from "node:path";
import { chosenSteps } from "../reward/choice.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { MOST_BYTES, readBytes } from "../system/regular-files.ts";
import { isIntact } from "../tensor/safetensors-seal.ts";
import { checkpointSteps, hasCheckpoint, removeCheckpoint } from "./checkpoints.ts";
import { configHash, configHashes, growConfig, readRunConfig } from "./config.ts";
import type { RunEvent, ValidationEvent } from "./events.ts";
import { EVENTS_FILE } from "./folder.ts";
import { picturedSteps, removeValidationPictures } from "./pictures.ts";
import { resumePointOf, type ResumePoint } from "./resume-point.ts";
import { scaleOfLog } from "./scale.ts";
import { damagedState, isSealed, readProgress, rewriteState, type Progress } from "./state.ts";

/**
 * A run that is trained for more steps than it was begun for becomes the run that was begun for them: the same weights, pictures and choice.
 * What the shorter one did because it ended is taken back: its last event, and the validation of its last step where the longer one has none.
 *
 * config.json is written first, with the steps that the run was for before. A state that was saved before is known by them, so that a run
 * which is killed at any instant goes on from there.
 */

/** The steps that a run was for when a state of it was saved. */
async function stepsWhenSaved(run: string, { configHash: hash, finished, step }: Progress): Promise<number> {
  const { settings, grownFrom } = await readRunConfig(run);
  if (hash === undefined) return finished && grownFrom.includes(step) ? step : settings.steps;
  const ago = (await configHashes(run)).indexOf(hash);
  return ago <= 0 ? settings.steps : grownFrom[grownFrom.length - ago];
}

/** Whether nothing is left to do of a run that is to have so many steps. */
export async function isOver(run: string, steps: number): Promise<boolean> {
  const progress = await readProgress(run);
  return progress?.finished === true && (await stepsWhenSaved(run, progress)) >= steps;
}

type Wanted = Pick<
  TrainSettings,
  "output" | "steps" | "validateEvery" | "adapter" | "lambda" | "patience" | "rewardForm"
>;

/**
 * Where a run stands that is to have more steps than its state was saved for; nothing is written yet.
 * @returns undefined where it is to have no more
 * @throws UsageError when it had ended before its last step, or a checkpoint that it would have then is gone
 */
export async function grownPoint(settings: Wanted, point: ResumePoint): Promise<ResumePoint | undefined> {
  const { output: run, steps } = settings;
  const { progress } = point;
  const before = await stepsWhenSaved(run, progress);
  if (before >= steps) return undefined;
  if (!progress.finished) return point;
  const isExtra = before % settings.validateEvery !== 0;
  const end = point.events.at(-1);
  if (end?.type === "stop" && end.reason !== "steps" && !(isExtra && end.step === before))
    throw new UsageError(
      say`${setting("steps", steps)}: the run in ${run} ended at step ${end.step} because its ${end.reason === "loss" ? "loss no longer moved" : "reward no longer rose"}, as it would with more steps; start a new run, with ${setting("noEarlyStopping")} if it is to take all of them`,
    );
  // that of a finished run was of no use so far
  if (!(await isIntact(point.file, { required: isSealed(progress) })))
    throw await damagedState(run, `${point.file.path}: damaged: its content is not what was saved`);
  const isKept = (event: RunEvent): boolean =>
    !(
      event.type === "stop" ||
      (isExtra && (event.type === "validation" || event.type === "best") && event.step === before)
    );
  const events = point.events.slice(0, point.events.findLastIndex(isKept) + 1);
  const bytes = await readBytes(join(run, EVENTS_FILE), { atMost: MOST_BYTES.log });
  let eventsLength = progress.eventsLength;
  for (let dropped = events.length; dropped < point.events.length; dropped++)
    eventsLength = bytes.lastIndexOf("\n", eventsLength - 2) + 1;
  const eventsHash = createHash("sha256").update(bytes.subarray(0, eventsLength)).digest("hex");
  const grown = resumePointOf(
    { ...point, progress: { ...progress, finished: false, eventsLength, eventsHash } },
    events,
  );
  if (settings.adapter === "full") await checkKept(settings, grown);
  return grown;
}

/** A fine-tuned U-Net's checkpoints are large, and those that no lambda chooses are removed: one may be gone that a longer run would choose. */
async function checkKept(
  { output: run, steps, ...settings }: Wanted,
  { validations, events }: ResumePoint,
): Promise<void> {
  const scale = scaleOfLog(settings.rewardForm, events);
  for (const step of chosenSteps(validations, settings, scale))
    if (step > 0 && !(await hasCheckpoint(run, step)))
      throw new UsageError(
        say`${setting("steps", steps)}: the run in ${run} has removed the checkpoint of step ${step}, which a longer run would have chosen; start a new run`,
      );
}

/**
 * Makes a run one of more steps, from {@link grownPoint} on. The run's lock is held.
 * @returns the point as it is saved now
 */
export async function growRun({ output: run, steps }: Wanted, point: ResumePoint): Promise<ResumePoint> {
  await growConfig(run, steps);
  return {
    ...point,
    ...(await rewriteState(run, point.file, { ...point.progress, configHash: await configHash(run) })),
  };
}

/**
 * Removes checkpoints and pictures of validations that a run which goes on does not have and will not have by itself: of the last steps of
 * shorter runs, and of those out of turn that were under way when it was killed.
 * @param from the step that it goes on from
 */
export async function removeExtras(
  { output: run, validateEvery, steps }: Wanted,
  validations: readonly ValidationEvent[],
  from: number,
): Promise<void> {
  const { grownFrom } = await readRunConfig(run);
  const there = [...(await checkpointSteps(run)), ...(await picturedSteps(run))].filter((step) => step >= from);
  for (const step of new Set([...grownFrom, ...there])) {
    if (step % validateEvery === 0 || step === steps) continue;
    if (validations.some((validation) => validation.step === step)) continue;
    await removeCheckpoint(run, step);
    await removeValidationPictures(run, step);
  }
}
