import { goneFiles } from "../runs/judged.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import type { StopSignal } from "../system/work.ts";
import type { JudgedLog } from "./judged-log.ts";
import type { JudgeResult } from "./task.ts";
import { verdictOf } from "./verdict.ts";

/** How a judging ends. */

/** Ends a judging's log, and says what came of it. */
export async function conclude(
  log: JudgedLog,
  { output: run, lambda }: Pick<TrainRequest, "output" | "lambda">,
  { aborted }: StopSignal,
): Promise<Pick<JudgeResult, "reason" | "verdict">> {
  const reason = aborted ? "interrupted" : "done";
  await log.end(reason === "done" ? "steps" : "interrupted");
  const steps = log.validations.map(({ step }) => step);
  return { reason, verdict: verdictOf(log, lambda, await goneFiles(run, steps)) };
}

/** What comes of a judging that was stopped before there was anything to judge. */
export function nothingJudged({ lambda }: Pick<TrainRequest, "lambda">): JudgeResult {
  const verdict = { lambda, best: undefined, bestOfAll: undefined, candidates: [], keep: [], missed: [] };
  return { reason: "interrupted", judged: 0, loads: { unet: 0, texts: 0 }, verdict };
}
