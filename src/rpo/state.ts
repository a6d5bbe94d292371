import { join } from "node:path";
import { z } from "zod";
import type { AdamW } from "../nn/adamw.ts";
import { optimizerTensors, restoreOptimizer } from "../nn/optimizer-state.ts";
import { UsageError } from "../tensor/errors.ts";
import { exists, writeJson } from "../tensor/files.ts";
import { openSafetensors, writeSafetensors } from "../tensor/safetensors.ts";

/** Where a run stands, apart from its weights. Draws depend on the seed and the step alone, so there is no random state but these. */
export interface Progress {
  /** Optimizer steps taken. */
  readonly step: number;
  /** The length of events.jsonl that belongs to this state. */
  readonly eventsLength: number;
  readonly finished: boolean;
}

const progressSchema = z.strictObject({ step: z.int().min(0), eventsLength: z.int().min(0), finished: z.boolean() });

const WEIGHTS_FILE = "state.safetensors";
/** A copy of the progress for people and tools; resuming reads the one inside the weights' file, so that both always belong together. */
const PROGRESS_FILE = "state.json";
const METADATA_KEY = "rpo_progress";

/** Writes the trained weights, the optimizer's moments and the progress, all in one atomic step. */
export async function saveState(run: string, optimizer: AdamW, progress: Progress): Promise<void> {
  const metadata = { [METADATA_KEY]: JSON.stringify(progress) };
  await optimizer.fetch();
  await writeSafetensors(join(run, WEIGHTS_FILE), optimizerTensors(optimizer), { metadata });
  await writeJson(join(run, PROGRESS_FILE), progress);
}

/** The progress of a run; undefined before its first state was saved. @throws ModelError, UsageError when the file is damaged */
export async function readProgress(run: string): Promise<Progress | undefined> {
  const path = join(run, WEIGHTS_FILE);
  if (!(await exists(path))) return undefined;
  const text = (await openSafetensors(path)).metadata.get(METADATA_KEY);
  if (text === undefined) throw new UsageError(`${path}: this is not the state of a run`);
  try {
    return progressSchema.parse(JSON.parse(text));
  } catch {
    throw new UsageError(
      `${path}: its ${METADATA_KEY} is damaged: expected {"step", "eventsLength", "finished"}, got ${text.slice(0, 80)}; put the file back, or start a new run`,
    );
  }
}

/** Puts a saved state into an optimizer. @throws UsageError when the state is of other weights */
export async function loadState(run: string, optimizer: AdamW, { step }: Progress): Promise<void> {
  await restoreOptimizer(await openSafetensors(join(run, WEIGHTS_FILE)), optimizer);
  await optimizer.send();
  optimizer.stepCount = step;
}
