import { join } from "node:path";
import { UsageError, type Message } from "../system/errors.ts";
import { messageOf, say, setting } from "../system/message.ts";
import type { RunEvent } from "./events.ts";
import { checkTrained } from "../checkpoints/trained-files.ts";
import { hasCheckpoint } from "./checkpoints.ts";
import { checkpointOf, writeBest } from "./best.ts";
import { bestStep, KEPT_LAMBDAS } from "../reward/choice.ts";
import { scaleOfLog } from "./scale.ts";
import type { RewardForm } from "../settings/reward-form.ts";
import { judge } from "../reward/judged.ts";
import { judgedProblem, readJudged } from "./judged.ts";
import { repairRun } from "./repair.ts";
import { checkSaved } from "./saved.ts";
import { readRunConfig } from "./config.ts";
import { checkpointPath, readEvents } from "./folder.ts";
import type { Estimate } from "../reward/statistics.ts";

/** One validation, seen with a lambda. */
export interface Candidate extends Estimate {
  readonly step: number;
  readonly alignI: number;
  readonly alignT: number;
  /** How far the way to the photos' likeness is, 0 to 1, and what is left of the obedience; of runs that know it. */
  readonly likeness?: number;
  readonly obedience?: number;
  /** Whether the checkpoint is there (or the step is 0, the starting model, which needs none). */
  readonly available: boolean;
}

export interface Selection {
  readonly lambda: number;
  readonly form: RewardForm;
  readonly step: number;
  readonly reward: number;
  readonly standardError: number;
  /** Path in the run's folder; null for the starting model. */
  readonly checkpoint: string | null;
  /** Of a run that judges: another program's file, which is the checkpoint. */
  readonly file?: string;
  readonly candidates: readonly Candidate[];
  /** Whether the run has ended. Training that goes on chooses again, for its own lambda. */
  readonly finished: boolean;
}

/**
 * Chooses the checkpoint of a run for another lambda, without training: every validation kept both alignments of every picture.
 *
 * Writes best.json. Of a run that is not finished that holds until its training goes on: whatever was selected in between, a run ends
 * with the choice for its own lambda.
 * @param wanted the lambda and the form of the reward; the run's own where they are left out
 * @throws UsageError when the run has not measured what the form needs, the folder holds no run, no validation, or no longer the checkpoint that is best
 */
export async function selectCheckpoint(
  run: string,
  wanted: { readonly lambda?: number | undefined; readonly rewardForm?: RewardForm | undefined } = {},
): Promise<Selection> {
  const { settings, judging, events, validations, scale, lambda } = await openForChoice(run, wanted);
  const candidates: Candidate[] = [];
  for (const { step, reward, alignI, alignT, progress } of judge(validations, lambda, scale)) {
    candidates.push({
      step,
      ...reward,
      alignI: alignI.mean,
      alignT: alignT.mean,
      ...(progress && { likeness: progress.likeness.mean, obedience: progress.obedience.mean }),
      available: step === 0 || (await hasCheckpoint(run, step)),
    });
  }
  const chosen = bestStep(validations, lambda, scale);
  const best = candidates.find(({ step }) => step === chosen?.step);
  if (best === undefined) throw new UsageError(`${run}: no validation has a reward that is a number`);
  const checkpoint = checkpointOf(best.step);
  const refuse = async (problem: Message, cause?: unknown): Promise<never> => {
    const next = await bestWhole(run, candidates);
    const way =
      next === undefined
        ? "put it back"
        : say`put it back, choose another lambda, or take step ${next}, the best that is whole${next === 0 ? ", which is the starting model" : say`: ${setting("adapter", join(run, checkpointPath(next)))}`}`;
    throw new UsageError(say`${problem}; step ${best.step} is best for lambda ${lambda}: ${way}`, { cause });
  };
  if (checkpoint !== null && !best.available && judging?.samples === undefined) {
    const judged = await readJudged(join(run, checkpoint)).catch(() => undefined);
    const gone = judged && (await judgedProblem(judged));
    if (gone !== undefined) await refuse(gone);
    const kept = settings.adapter === "full" ? ` (those that are best for ${KEPT_LAMBDAS.join(", ")} are kept)` : "";
    await refuse(`${join(run, checkpoint)}: the checkpoint is gone or not whole${kept}`);
  }
  if (checkpoint !== null)
    await checkTrained(join(run, checkpoint)).catch((error: unknown) => refuse(messageOf(error), error));
  const selection = {
    lambda,
    form: scale.form,
    step: best.step,
    reward: best.mean,
    standardError: best.standardError,
    checkpoint,
  };
  await writeBest(run, selection);
  const file = checkpoint === null ? undefined : (await readJudged(join(run, checkpoint)))?.path;
  return { ...selection, ...(file !== undefined && { file }), candidates, finished: hasEnded(events) };
}

/**
 * Keeps the checkpoint of a step that somebody chose by looking: writes what {@link selectCheckpoint} writes, with who chose.
 * @param wanted the step, and the lambda and form of the reward that its reward is given for; the run's own where they are left out
 * @throws UsageError when the run has no validation of that step, or no longer its checkpoint
 */
export async function keepCheckpoint(
  run: string,
  wanted: { readonly step: number; readonly lambda?: number | undefined; readonly rewardForm?: RewardForm | undefined },
): Promise<void> {
  const { judging, validations, scale, lambda } = await openForChoice(run, wanted);
  const { step } = wanted;
  const kept = judge(validations, lambda, scale).find((each) => each.step === step);
  if (kept === undefined) throw new UsageError(`${run}: step ${step} has not been validated`);
  const checkpoint = checkpointOf(step);
  if (checkpoint !== null) {
    // of pictures that were judged there is no checkpoint
    if (judging?.samples === undefined && !(await hasCheckpoint(run, step)))
      throw new UsageError(`${join(run, checkpoint)}: the checkpoint is gone or not whole; choose another step`);
    await checkTrained(join(run, checkpoint));
  }
  await writeBest(run, { lambda, form: scale.form, step, reward: kept.reward.mean }, "person");
}

/** A run's validations, and how they are judged. @throws UsageError when there are none, or the run has not measured what the form of the reward needs */
async function openForChoice(
  run: string,
  wanted: { readonly lambda?: number | undefined; readonly rewardForm?: RewardForm | undefined },
) {
  const { settings, judging } = await readRunConfig(run);
  const { lambda = settings.lambda, rewardForm = settings.rewardForm } = wanted;
  await repairRun(run);
  await checkSaved(run);
  const events = await readEvents(run);
  const validations = events.filter((event) => event.type === "validation");
  if (validations.length === 0)
    throw new UsageError(
      `${run}: the run has not been validated yet; continue it with ${judging === undefined ? `rpo train --resume --output ${run}` : "rpo judge"}`,
    );
  const scale = scaleOfLog(rewardForm, events);
  if (scale.form !== rewardForm)
    throw new UsageError(
      say`${setting("rewardForm", rewardForm)}: ${run} did not measure what it needs (an earlier version made it); use ${setting("rewardForm", scale.form)}`,
    );
  return { settings, judging, events, validations, scale, lambda };
}

/** The best step whose checkpoint is what was written. */
async function bestWhole(run: string, candidates: readonly Candidate[]): Promise<number | undefined> {
  for (const { step, available } of [...candidates].sort((a, b) => b.mean - a.mean)) {
    if (!available) continue;
    if (step === 0) return step; // the starting model has no checkpoint
    const isWhole = await checkTrained(join(run, checkpointPath(step))).then(
      () => true,
      () => false,
    );
    if (isWhole) return step;
  }
  return undefined;
}

/** Whether the last event is the end of the run. */
function hasEnded(events: readonly RunEvent[]): boolean {
  const last = events.at(-1);
  return last?.type === "stop" && last.reason !== "interrupted";
}
