import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../tensor/errors.ts";
import { exists, readJson, writeJson } from "../tensor/files.ts";
import { stepNumber } from "./event-schema.ts";
import type { RunEvent } from "./events.ts";
import { checkTrained } from "../checkpoints/trained-files.ts";
import { hasCheckpoint } from "./checkpoints.ts";
import { KEPT_LAMBDAS, rewardOf, type Best } from "./choice.ts";
import { repairRun } from "./repair.ts";
import { checkSaved } from "./saved.ts";
import { readRunConfig } from "./run-config.ts";
import { BEST_FILE, CHECKPOINTS, checkpointPath, readEvents } from "./run-folder.ts";
import { estimate, firstHighest, type Estimate } from "./statistics.ts";

/** One validation, seen with a lambda. */
export interface Candidate extends Estimate {
  readonly step: number;
  readonly alignI: number;
  readonly alignT: number;
  /** Whether the checkpoint is there (or the step is 0, the starting model, which needs none). */
  readonly available: boolean;
}

export interface Selection {
  readonly lambda: number;
  readonly step: number;
  readonly reward: number;
  readonly standardError: number;
  /** Path in the run's folder; null for the starting model. */
  readonly checkpoint: string | null;
  readonly candidates: readonly Candidate[];
  /** Whether the run has ended. Training that goes on chooses again, for its own lambda. */
  readonly finished: boolean;
}

/**
 * Chooses the checkpoint of a run for another lambda, without training: every validation kept both alignments of every picture.
 *
 * Writes best.json. Of a run that is not finished that holds until its training goes on: whatever was selected in between, a run ends
 * with the choice for its own lambda.
 * @throws UsageError when the folder holds no run, no validation, or no longer the checkpoint that is best
 */
export async function selectCheckpoint(run: string, lambda: number): Promise<Selection> {
  await readRunConfig(run); // of a version that is known
  await repairRun(run);
  await checkSaved(run);
  const events = await readEvents(run);
  const validations = events.filter((event) => event.type === "validation");
  if (validations.length === 0)
    throw new UsageError(
      `${run}: the run has not been validated yet; continue it with rpo train --resume --output ${run}`,
    );
  const candidates: Candidate[] = [];
  for (const { step, images } of validations) {
    candidates.push({
      step,
      ...rewardOf(images, lambda),
      alignI: estimate(images.map(({ alignI }) => alignI)).mean,
      alignT: estimate(images.map(({ alignT }) => alignT)).mean,
      available: step === 0 || (await hasCheckpoint(run, step)),
    });
  }
  const best = firstHighest(candidates, ({ mean }) => mean);
  if (best === undefined) throw new UsageError(`${run}: no validation has a reward that is a number`);
  if (!best.available)
    throw new UsageError(
      `${run}: step ${best.step} is best for lambda ${lambda}, but its checkpoint is gone or not whole (full fine-tuning keeps those that are best for ${KEPT_LAMBDAS.join(", ")}); choose another lambda`,
    );
  const checkpoint = checkpointOf(best.step);
  if (checkpoint !== null)
    await checkTrained(join(run, checkpoint)).catch(async (error: unknown) => {
      const next = await bestWhole(run, candidates);
      const advice = next === undefined ? "" : `, step ${next} is the best that is whole`;
      throw new UsageError(`${(error as Error).message}; step ${best.step} is best for lambda ${lambda}${advice}`, {
        cause: error,
      });
    });
  const selection = {
    lambda,
    step: best.step,
    reward: best.mean,
    standardError: best.standardError,
    checkpoint,
  };
  await writeBest(run, selection);
  return { ...selection, candidates, finished: hasEnded(events) };
}

/** The best step whose checkpoint is what was written. */
async function bestWhole(run: string, candidates: readonly Candidate[]): Promise<number | undefined> {
  for (const { step, available } of [...candidates].sort((a, b) => b.mean - a.mean)) {
    if (!available) continue;
    const whole = await checkTrained(join(run, checkpointPath(step))).then(
      () => true,
      () => false,
    );
    if (step === 0 || whole) return step;
  }
  return undefined;
}

/** Writes best.json: which checkpoint to use. */
export async function writeBest(
  run: string,
  { lambda, step, reward }: Best & { readonly lambda: number },
): Promise<void> {
  await writeJson(join(run, BEST_FILE), { lambda, step, reward, checkpoint: checkpointOf(step) });
}

/** The path of a step's checkpoint in the run's folder; the starting model has none. */
function checkpointOf(step: number): string | null {
  return step === 0 ? null : checkpointPath(step);
}

/** Whether the last event is the end of the run. */
function hasEnded(events: readonly RunEvent[]): boolean {
  const last = events.at(-1);
  return last?.type === "stop" && last.reason !== "interrupted";
}

/** `step` and `checkpoint` say the same: a file in which they differ is damaged. Files by hand may name a checkpoint alone. */
const bestSchema = z
  .object({
    step: stepNumber.optional(),
    checkpoint: z
      .string()
      .regex(new RegExp(`^${CHECKPOINTS}/\\d{6,}$`))
      .nullable(),
  })
  .refine(({ step, checkpoint }) => step === undefined || checkpointOf(step) === checkpoint);

/**
 * The folder of the checkpoint that best.json names; undefined for the starting model.
 * @throws UsageError when the run has not been validated, or the file or the checkpoint is damaged or gone
 */
export async function readBest(run: string): Promise<string | undefined> {
  const path = join(run, BEST_FILE);
  if (!(await exists(path)))
    throw new UsageError(
      `${run}: the run has not been validated yet; continue it with rpo train --resume --output ${run}`,
    );
  const parsed = bestSchema.safeParse(await readJson(path, UsageError));
  if (!parsed.success)
    throw new UsageError(`${path}: expected {"checkpoint": folder or null}; rpo select ${run} writes it again`);
  const { checkpoint } = parsed.data;
  if (checkpoint === null) return undefined;
  if (!(await exists(join(run, checkpoint))))
    throw new UsageError(`${path}: its checkpoint ${checkpoint} is gone; rpo select ${run} chooses again`);
  return join(run, checkpoint);
}
