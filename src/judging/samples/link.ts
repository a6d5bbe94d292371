import { ModelError, UsageError } from "../../system/errors.ts";
import type { JudgedLog } from "../judged-log.ts";
import { createKnownFiles } from "../known-files.ts";
import { markOf } from "../marks.ts";
import { createScanner } from "../scan.ts";
import type { JudgeTask } from "../task.ts";
import { placeOf } from "../trained.ts";
import { watchChanges } from "../waiting.ts";

/** Says in the run's folder which file is of which step, as far as files were named. */
export type Link = (log: Pick<JudgedLog, "validations">) => Promise<void>;

/** @param warn told once of what cannot be linked */
export function createLink(
  { request, judging: { checkpoints: wanted }, watch }: Pick<JudgeTask, "request" | "judging" | "watch">,
  settleMs: number,
  warn: (text: string) => void,
): Link {
  const scanner = createScanner(wanted, { mayCome: watch });
  const known = createKnownFiles(request.output);
  const changes = watchChanges();
  /** What each path was like when it was linked. */
  const linked = new Map<string, string>();
  const link = async (log: Pick<JudgedLog, "validations">): Promise<void> => {
    const judged = await known.of(log);
    const { checkpoints, partial } = await scanner.look(judged.values());
    for (const { step, path } of checkpoints) {
      if (!log.validations.some((each) => each.step === step)) continue;
      const mark = `${step} ${(await markOf(path))?.text ?? ""}`;
      if (linked.get(path) === mark || (await changes.isChanging(path, settleMs))) continue;
      linked.set(path, mark);
      await known.put(await placeOf(step, path));
    }
    if (!watch) for (const { problem } of partial) warn(`passed over: ${problem}`);
  };
  return async (log) => {
    if (wanted.length === 0) return;
    try {
      await link(log);
    } catch (error) {
      // what is half written, or cannot be put in order yet, is no reason to stop looking at pictures
      if (!(error instanceof ModelError || (watch && error instanceof UsageError))) throw error;
      warn(error.message);
    }
  };
}
