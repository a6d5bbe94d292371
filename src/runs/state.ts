import { copyFile, link, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Distance, OptimizerState } from "../nn/kept-state.ts";
import type { LossScale } from "../nn/loss-scale.ts";
import { optimizerTensors, restoreOptimizer } from "../nn/optimizer-state.ts";
import { UsageError } from "../system/errors.ts";
import { cannotWrite, exists, readJson, writeJson } from "../system/files.ts";
import { temporaryPath } from "../system/leftovers.ts";
import { parseJson } from "../system/json.ts";
import { openSafetensors, writeSafetensors, type SafetensorsFile } from "../tensor/safetensors.ts";
import { isIntact } from "../tensor/safetensors-seal.ts";
import { newestCheckpoint } from "./checkpoints.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sha256, stepNumber } from "./event-fields.ts";

/** Where a run stands, apart from its weights. Draws depend on the seed and the step alone, so there is no random state but these. */
export interface Progress {
  /** Optimizer steps taken. */
  readonly step: number;
  /** The length of events.jsonl that belongs to this state. */
  readonly eventsLength: number;
  readonly finished: boolean;
  /** Of a training in mixed precision, after the step. */
  readonly lossScale?: LossScale | undefined;
  /** Of a training with Prodigy, after the step. */
  readonly distance?: Distance | undefined;
  /** SHA-256 of those bytes of events.jsonl. Absent in states of earlier versions, as the next. */
  readonly eventsHash?: string | undefined;
  /** Of the settings in config.json, see configHash. */
  readonly configHash?: string | undefined;
}

/** A saved state: a file that holds weights, moments and progress. */
export interface SavedState {
  readonly progress: Progress;
  readonly file: SafetensorsFile;
}

const lossScale = z.strictObject({
  factor: z.number().positive(),
  goodSteps: z.int().min(0),
  skipped: z.int().min(0),
}) satisfies z.ZodType<LossScale>;

const distance = z.strictObject({
  d: z.number().positive(),
  largest: z.number().positive(),
  numerator: z.number(),
  updates: z.int().min(0),
}) satisfies z.ZodType<Distance>;

const progressSchema = z.strictObject({
  step: stepNumber,
  eventsLength: z.int().min(0),
  finished: z.boolean(),
  lossScale: lossScale.optional(),
  distance: distance.optional(),
  eventsHash: sha256.optional(),
  configHash: sha256.optional(),
});

export const WEIGHTS_FILE = "state.safetensors";
/** The state before, of a LoRA, whose states are small: what a damaged one is gone back from. */
export const PREVIOUS_FILE = "state.previous.safetensors";
/** A copy of the progress for people and tools; resuming reads the one inside the weights' file, so that both always belong together. */
const PROGRESS_FILE = "state.json";
const METADATA_KEY = "rpo_progress";

/**
 * Writes the trained weights, the optimizer's moments and the progress, all in one atomic step.
 * @param options.keepPrevious whether the state before stays, under another name
 */
export async function saveState(
  run: string,
  optimizer: OptimizerState,
  progress: Progress,
  { keepPrevious = false }: { readonly keepPrevious?: boolean } = {},
): Promise<void> {
  const metadata = { [METADATA_KEY]: JSON.stringify(progress) };
  const path = join(run, WEIGHTS_FILE);
  await optimizer.fetch();
  if (keepPrevious && (await exists(path))) await keepAs(path, join(run, PREVIOUS_FILE));
  await writeSafetensors(path, optimizerTensors(optimizer), { metadata, sealed: true });
  await writeProgressFile(run, progress);
}

/** Writes a state anew that says something else of where the run stands. The one before it stays what it was. @returns it */
export async function rewriteState(run: string, file: SafetensorsFile, progress: Progress): Promise<SavedState> {
  const tensors: { name: string; tensor: Tensor }[] = [];
  for (const name of file.tensors.keys()) tensors.push({ name, tensor: await file.read(name) });
  const path = join(run, WEIGHTS_FILE);
  await writeSafetensors(path, tensors, { metadata: { [METADATA_KEY]: JSON.stringify(progress) }, sealed: true });
  await writeProgressFile(run, progress);
  return { file: await openSafetensors(path), progress };
}

/** Gives a file a second name, at once and in the place of another: a link, or a copy where the disk has none. */
async function keepAs(path: string, other: string): Promise<void> {
  const temporary = await temporaryPath(other);
  try {
    await link(path, temporary).catch(() => copyFile(path, temporary));
    await rename(temporary, other);
    // two names of one file are left both by a rename
    await rm(temporary, { force: true });
  } catch (error) {
    throw cannotWrite(other, error);
  }
}

/** Brings state.json up to a state, after a kill that came between. */
export async function writeProgressFile(run: string, progress: Progress): Promise<void> {
  await writeJson(join(run, PROGRESS_FILE), progress);
}

/** Whether state.json says what a state says. */
export async function isProgressFileCurrent(run: string, progress: Progress): Promise<boolean> {
  const written = progressSchema.safeParse(await readJson(join(run, PROGRESS_FILE)).catch(() => undefined));
  return written.success && JSON.stringify(written.data) === JSON.stringify(progressSchema.parse(progress));
}

/**
 * The state that a run goes on from: the last one that was saved, or the one before where somebody took that away; undefined before the
 * first. Reads the file's header only.
 * @throws UsageError when that is damaged, with what there is to go back to
 */
export async function openState(run: string): Promise<SavedState | undefined> {
  for (const name of [WEIGHTS_FILE, PREVIOUS_FILE]) {
    const path = join(run, name);
    if (!(await exists(path))) continue;
    try {
      const file = await openSafetensors(path);
      return { file, progress: parseProgress(file) };
    } catch (error) {
      // what cannot be read now may be whole
      if (error instanceof Error && error.cause instanceof Error && "code" in error.cause) throw error;
      throw await damagedState(run, (error as Error).message);
    }
  }
  return undefined;
}

/** An error about a damaged state, with what to do about it. @param problem which file, and what is wrong with it */
export async function damagedState(run: string, problem: string): Promise<UsageError> {
  const step = await previousStep(run);
  const newest = await newestCheckpoint(run);
  const way =
    step !== undefined
      ? `remove it, and rpo train --resume --output ${run} goes on from step ${step}, where it was saved before`
      : newest !== undefined
        ? `put it back, or draw with the newest checkpoint, ${newest}, and start a new run`
        : "put it back, or start a new run";
  return new UsageError(`${problem}; ${way}`);
}

/** Whether a state is of a version that seals its file. */
export function isSealed({ eventsHash }: Progress): boolean {
  return eventsHash !== undefined;
}

function parseProgress({ path, metadata }: SafetensorsFile): Progress {
  const text = metadata.get(METADATA_KEY);
  if (text === undefined) throw new UsageError(`${path}: this is not the state of a run`);
  try {
    return progressSchema.parse(parseJson(text));
  } catch {
    throw new UsageError(
      `${path}: its ${METADATA_KEY} is damaged: expected {"step", "eventsLength", "finished"}, got ${text.slice(0, 80)}`,
    );
  }
}

/** The progress of a run; undefined before its first state was saved. @throws UsageError when the file is damaged */
export async function readProgress(run: string): Promise<Progress | undefined> {
  return (await openState(run))?.progress;
}

/** The step of the state before, where it is there and whole. */
async function previousStep(run: string): Promise<number | undefined> {
  try {
    const file = await openSafetensors(join(run, PREVIOUS_FILE));
    const progress = parseProgress(file);
    return (await isIntact(file, { required: isSealed(progress) })) ? progress.step : undefined;
  } catch {
    return undefined;
  }
}

/** Puts a saved state into an optimizer. @throws UsageError when the state is of other weights */
export async function loadState({ file, progress }: SavedState, optimizer: OptimizerState): Promise<void> {
  await restoreOptimizer(file, optimizer);
  await optimizer.send();
  if (progress.lossScale !== undefined) optimizer.lossScale = progress.lossScale;
  if (progress.distance !== undefined) optimizer.distance = progress.distance;
  optimizer.stepCount = progress.step - (progress.lossScale?.skipped ?? 0);
}
