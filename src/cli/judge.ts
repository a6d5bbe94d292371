import { LEAST_REWARD } from "../reward/judged.ts";
import { join } from "node:path";
import { runTask } from "../engine/host.ts";
import { resolveJudging, type WantedJudging } from "../commands/judge/resolve.ts";
import type { JudgeResult, JudgeTask } from "../judging/task.ts";
import type { Candidate } from "../judging/verdict.ts";
import type { ProgressEvent, RunEvent } from "../runs/events.ts";
import { checkpointPath } from "../runs/folder.ts";
import { judgedName, readJudged } from "../runs/judged.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { createProgress, type Progress } from "./progress.ts";
import { terminal } from "./terminal.ts";
import { worded } from "../system/worded.ts";
import { flagName } from "../settings/flag-name.ts";

export interface JudgeFlags extends WantedJudging {
  readonly json: boolean;
}

/** `rpo judge`. @returns the exit code */
export async function judgeCommand(flags: JudgeFlags): Promise<number> {
  const task = await resolveJudging(flags, terminal);
  const run = task.request.output;
  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
    () => progress.phase === "loading",
  );
  try {
    const listener = createListener(run, progress, flags);
    const result = await runTask("judge", task, { onEvent: listener.onEvent, signal: interrupt.signal });
    await listener.told();
    progress.stop();
    await tell(task, result, flags);
    return result.reason === "interrupted" ? EXIT.interrupted : EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

interface Listener {
  readonly onEvent: (event: RunEvent | ProgressEvent) => void;
  /** Until all lines are written. */
  readonly told: () => Promise<void>;
}

function createListener(
  run: string,
  progress: Progress,
  { json, watch }: Pick<JudgeFlags, "json" | "watch">,
): Listener {
  let count = 0;
  let lines = Promise.resolve();
  const waited = watch ? "for what comes; Ctrl-C ends it" : "for what is being written";
  const onEvent = (told: RunEvent | ProgressEvent): void => {
    const event = worded(told, flagName);
    if (json && event.type !== "progress") process.stdout.write(`${JSON.stringify(event)}\n`);
    if (event.type === "progress") {
      const note = event.phase === "waiting" ? waited : judgedSoFar(count);
      progress.update(event.phase, event.done, event.total, note);
    } else if (event.type === "warning") progress.log(`warning: ${event.text}`);
    else if (event.type === "validation") {
      const { step, reward, standardError, lambda } = event;
      if (step > 0) count++;
      const line = `reward ${reward.toFixed(3)} ± ${standardError.toFixed(3)} at lambda ${lambda}`;
      // its file's name: steps may be epochs
      lines = lines.then(async () => progress.log(`${await nameOf(run, step)}: ${line}`));
    }
  };
  return { onEvent, told: () => lines };
}

function judgedSoFar(count: number): string {
  return count === 0 ? "starting model" : `${count} judged`;
}

/** What came of it: the table on stdout, what to do with it on stderr. */
async function tell(
  { request: { output: run }, judging: { samples } }: JudgeTask,
  { reason, judged, verdict }: JudgeResult,
  { json }: JudgeFlags,
): Promise<void> {
  const { candidates, best, bestOfAll, keep, missed, lambda } = verdict;
  const names = new Map<number, string>();
  for (const { step } of candidates) names.set(step, await nameOf(run, step));
  if (json) {
    const result = {
      type: "verdict",
      reason,
      judged,
      lambda,
      best,
      bestOfAll,
      keep,
      missed,
      candidates: candidates.map((each) => ({ ...each, file: names.get(each.step) })),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  if (candidates.length > 0) process.stdout.write(`${table(candidates, best?.step, names).join("\n")}\n`);
  if (reason === "interrupted") say("stopped; the same command goes on from here");
  if (best === undefined) return;
  const name = (step: number) => names.get(step) ?? String(step);
  for (const { step, from, to } of keep) say(`lambda ${from === to ? from : `${from} to ${to}`}: keep ${name(step)}`);
  for (const { step, from, to } of missed)
    say(`lambda ${from === to ? from : `${from} to ${to}`}: ${name(step)} was better, but it is gone`);
  const lost = candidates.find(({ step }) => step === bestOfAll?.step && step !== best.step);
  if (lost !== undefined)
    say(
      `at lambda ${lambda} ${name(lost.step)} was the best of all (${lost.gone}); of those that are there it is ${name(best.step)}`,
    );
  const others = candidates
    .filter(({ step, gone, mayBeBest }) => mayBeBest && gone === undefined && step !== best.step)
    .map(({ step }) => name(step));
  if (others.length > 0)
    say(
      `at lambda ${lambda} the differences of ${name(best.step)} to these may be chance (less than two standard errors, or than ${LEAST_REWARD}): ${others.join(", ")}`,
    );
  const copying = candidates.filter(({ copies = 0 }) => copies > 0);
  for (const { step, copies = 0, pictures } of copying)
    say(
      `${name(step)} copies a photo in ${copies} of ${pictures} pictures: nearer to it than any two photos are to each other`,
    );
  say(`the page:      rpo report ${run}`);
  say(`other lambda:  rpo select ${run} --lambda 0.3`);
  if (best.step > 0) say(drawWith(run, best.step, { isNamed: names.get(best.step) !== stepName(best.step), samples }));
}

/** The name of a step's file. */
async function nameOf(run: string, step: number): Promise<string> {
  if (step === 0) return "the starting model";
  const judged = await readJudged(join(run, checkpointPath(step))).catch(() => undefined);
  return judged === undefined ? stepName(step) : judgedName(judged);
}

/** Of a step whose file is not known. */
const stepName = (step: number): string => `step ${step}`;

/** What to do with the best: pictures that were there do not say what drew them. */
function drawWith(
  run: string,
  step: number,
  { isNamed, samples }: { readonly isNamed: boolean; readonly samples: string | undefined },
): string {
  if (samples === undefined) return `draw with it:  rpo generate --adapter ${run} --prompt "..." --output pictures`;
  return isNamed
    ? `draw with it:  rpo generate --adapter ${run} --model MODEL --prompt "..." --output pictures`
    : `to keep:       the trainer's file of step ${step}; --checkpoints says which that is`;
}

function table(
  candidates: readonly Candidate[],
  best: number | undefined,
  names: ReadonlyMap<number, string>,
): string[] {
  const hasProgress = candidates.some(({ progress }) => progress !== undefined);
  const hasCopies = candidates.some(({ copies }) => copies !== undefined);
  const head = [
    "     step  reward             ALIGN-I  ALIGN-T",
    ...(hasProgress ? ["likeness  obedience"] : []),
    ...(hasCopies ? ["copies"] : []),
    "file",
  ].join("  ");
  const rows = candidates.map(({ step, reward, alignI, alignT, progress, copies, pictures, gone }) =>
    [
      step === best ? "*" : " ",
      String(step).padStart(6),
      `${reward.mean.toFixed(4)} ± ${reward.standardError.toFixed(4)}`,
      alignI.mean.toFixed(4),
      ` ${alignT.mean.toFixed(4)}`,
      ...(hasProgress
        ? [progress?.likeness.mean.toFixed(2).padStart(9) ?? "", progress?.obedience.mean.toFixed(2).padStart(9) ?? ""]
        : []),
      ...(hasCopies ? [`${copies ?? "-"}/${pictures}`.padStart(6)] : []),
      `${names.get(step) ?? ""}${gone === undefined ? "" : " (gone)"}`,
    ].join("  "),
  );
  return [head, ...rows];
}
