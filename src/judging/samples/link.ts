import { basename } from "node:path";
import { ModelError, UsageError } from "../../system/errors.ts";
import type { JudgedLog } from "../judged-log.ts";
import { createKnownFiles } from "../known-files.ts";
import { stampOf } from "../stamps.ts";
import { createScanner } from "../scan.ts";
import type { JudgeTask } from "../task.ts";
import { placeOf } from "../trained.ts";
import { watchChanges } from "../waiting.ts";
import type { SampleSets } from "./find.ts";

/** Says in the run's folder which file is of which step, as far as files were named. */
export type Link = (log: Pick<JudgedLog, "validations">, pictures: Pick<SampleSets, "unit">) => Promise<void>;

/** @throws UsageError where the files that are named cannot be put in order, as those of two trainings; beside a training they may be soon */
export async function checkLinked({
  judging: { checkpoints: wanted },
  watch,
}: Pick<JudgeTask, "judging" | "watch">): Promise<void> {
  if (wanted.length > 0 && !watch) await createScanner(wanted).look();
}

/**
 * A file is linked to the pictures of the step, or epoch, that it says itself: a wrong one would be drawn with later.
 * @param warn told once of what cannot be linked
 */
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
  let isTold = false;
  const link: Link = async (log, { unit }) => {
    const judged = await known.of(log);
    const { checkpoints, partial, said } = await scanner.look(judged.values());
    const silent: string[] = [];
    for (const { path, twins } of checkpoints) {
      const step = [path, ...twins].map((each) => said.get(each)?.[unit]).find((each) => each !== undefined);
      if (step === undefined) silent.push(basename(path));
      if (step === undefined || !log.validations.some((each) => each.step === step)) continue;
      const stamp = `${step} ${(await stampOf(path))?.text ?? ""}`;
      if (linked.get(path) === stamp || (await changes.isChanging(path, settleMs))) continue;
      linked.set(path, stamp);
      await known.put(await placeOf(step, path));
    }
    if (silent.length > 0 && !isTold) {
      const others = silent.length > 1 ? ` and ${silent.length - 1} more` : "";
      warn(
        `the pictures are of ${unit}s, and neither name nor header says the ${unit} of ${silent[0]}${others}: not linked to any picture`,
      );
      isTold = true;
    }
    if (!watch) for (const { problem } of partial) warn(`passed over: ${problem}`);
  };
  return async (log, pictures) => {
    if (wanted.length === 0) return;
    try {
      await link(log, pictures);
    } catch (error) {
      // what is half written, or cannot be put in order yet, is no reason to stop looking at pictures
      if (!(error instanceof ModelError || (watch && error instanceof UsageError))) throw error;
      warn(error.message);
    }
  };
}
