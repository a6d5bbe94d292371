import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../tensor/errors.ts";
import { staysInside } from "../tensor/inside.ts";
import { exists, readJson, writeJson } from "../tensor/files.ts";
import type { RunEvent, ScoredImage, ValidationEvent } from "./events.ts";
import { isOutOfPatience } from "./patience.ts";
import { harmonicReward } from "./reward.ts";
import { readRunConfig } from "./run-config.ts";
import { BEST_FILE, checkpointPath, hasCheckpoint, readEvents } from "./run-folder.ts";
import type { TrainSettings } from "./settings.ts";
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

/** The lambda-harmonic reward of a validation's pictures. */
export function rewardOf(images: readonly ScoredImage[], lambda: number): Estimate {
  return estimate(images.map((image) => harmonicReward(image, lambda)));
}

/** A step and its reward. */
export interface Best {
  readonly step: number;
  readonly reward: number;
}

/** The first of the validations with the highest reward at `lambda`; undefined where none has a reward that is a number. */
export function bestStep(validations: readonly ValidationEvent[], lambda: number): Best | undefined {
  const rewards = validations.map(({ step, images }) => ({ step, reward: rewardOf(images, lambda).mean }));
  return firstHighest(rewards, ({ reward }) => reward);
}

/** The lambdas for which full fine-tuning keeps the best checkpoint. */
export const KEPT_LAMBDAS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * The steps whose checkpoints full fine-tuning keeps: the last, and for the run's lambda and each kept one the best of all and the best
 * until early stopping would have ended training, which a run that does not stop early may have left behind.
 */
export function keptSteps(
  validations: readonly ValidationEvent[],
  { lambda, patience }: Pick<TrainSettings, "lambda" | "patience">,
): Set<number> {
  const chosen = [lambda, ...KEPT_LAMBDAS].flatMap((each) => [
    bestStep(validations, each),
    bestStep(untilStop(validations, each, patience), each),
  ]);
  return new Set([...chosen, validations.at(-1)].flatMap((each) => (each === undefined ? [] : [each.step])));
}

/** The validations until the best of them is `patience` validations old. */
function untilStop(validations: readonly ValidationEvent[], lambda: number, patience: number) {
  const seen: ValidationEvent[] = [];
  for (const validation of validations) {
    seen.push(validation);
    if (isOutOfPatience(seen, bestStep(seen, lambda), patience)) break;
  }
  return seen;
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
      `${run}: step ${best.step} is best for lambda ${lambda}, but its checkpoint is gone (full fine-tuning keeps those that are best for ${KEPT_LAMBDAS.join(", ")}); choose another lambda`,
    );
  const selection = {
    lambda,
    step: best.step,
    reward: best.mean,
    standardError: best.standardError,
    checkpoint: checkpointOf(best.step),
  };
  await writeBest(run, selection);
  return { ...selection, candidates, finished: hasEnded(events) };
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

const bestSchema = z.object({ checkpoint: z.string().refine(staysInside).nullable() });

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
