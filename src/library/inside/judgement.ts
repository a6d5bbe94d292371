import { join } from "node:path";
import type { JudgeResult } from "../../judging/judge.ts";
import { checkpointPath } from "../../runs/folder.ts";
import { readJudged } from "../../runs/judged.ts";
import type { Judgement, JudgedCheckpoint } from "../judge.ts";

/** What came of a judging, as programs are told. */
export async function judgementOf(output: string, { reason, verdict }: JudgeResult): Promise<Judgement> {
  const checkpoints: JudgedCheckpoint[] = [];
  for (const { step, reward, alignI, alignT, progress, copies, pictures, mayBeBest } of verdict.candidates) {
    const file = (await readJudged(join(output, checkpointPath(step))).catch(() => undefined))?.path;
    checkpoints.push({
      step,
      ...(file !== undefined && { file }),
      reward: reward.mean,
      standardError: reward.standardError,
      alignI: alignI.mean,
      alignT: alignT.mean,
      ...(progress && { likeness: progress.likeness.mean, obedience: progress.obedience.mean }),
      ...(copies !== undefined && { copies }),
      pictures,
      mayBeBest,
    });
  }
  const { lambda, best, keep } = verdict;
  return { reason, output, lambda, best: best?.step, checkpoints, keep };
}
