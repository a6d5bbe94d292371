import { createInterface } from "node:readline/promises";
import { isEmbedded } from "../checkpoints/embedded.ts";
import { runTraining as runTrainTask } from "../engine/training.ts";
import type { CostEstimate, ProgressEvent, RunEvent } from "../runs/events.ts";
import { resolveTraining, type WantedTraining } from "../commands/train/resolve.ts";
import { bytesText } from "../system/bytes-text.ts";
import { drawsOf } from "../training/batches.ts";
import { countPhotos } from "../training/photos.ts";
import { subjectNames, subjectsOf } from "../settings/subjects.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import type { TrainResult } from "../training/train.ts";
import { terminal } from "./terminal.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { createProgress, duration, type Progress } from "./progress.ts";
import { describePlan } from "./train-plan.ts";
import { summarize } from "./train-summary.ts";
import { worded } from "../system/worded.ts";
import { flagName } from "../settings/flag-name.ts";

export interface TrainFlags extends WantedTraining {
  readonly yes: boolean;
  readonly json: boolean;
  readonly dryRun: boolean;
}

const ASK_ABOVE_SECONDS = 3600;

/** `rpo train`. @returns the exit code */
export async function trainCommand(flags: TrainFlags): Promise<number> {
  const { request, tensorBoard } = await resolveTraining(flags, terminal);
  if (isEmbedded(request.model) && !isEmbedded(request.images)) process.stderr.write(`${MINIATURE}\n`);
  if (!flags.resume) {
    const counts = await countPhotos(request);
    const all = counts.reduce((sum, count) => sum + count, 0);
    for (const [i, subject] of subjectsOf(request).entries()) {
      const advice = photoAdvice(counts[i], request.steps, (drawsOf(request) * counts[i]) / all);
      if (advice === undefined) continue;
      process.stderr.write(`note: ${counts.length === 1 ? "" : `${subjectNames([subject])}: `}${advice}\n`);
    }
  }
  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
    () => isPreparing(progress.phase),
  );
  try {
    const result = await runTraining(request, { ...flags, tensorBoard }, progress, interrupt.signal);
    if (result.reason === "declined" && interrupt.signal.aborted) return EXIT.interrupted;
    const { plan } = result;
    if (plan !== undefined) {
      process.stdout.write(flags.json ? `${JSON.stringify({ type: "plan", ...plan })}\n` : describePlan(plan));
      return EXIT.done;
    }
    await summarize(request, result);
    return result.reason === "interrupted" ? EXIT.interrupted : EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

const MINIATURE =
  "note: the embedded model is a miniature of a rendered world, 64 pixels wide: it shows how training behaves, but cannot draw what is on photos; --model takes a real one, such as sd15";

/** More photos of one thing than a training takes in. */
const MANY_PHOTOS = 20;

/** What to say of the number of photos, where it is unusual. @param draws how many photos the steps take, all together */
export function photoAdvice(photos: number, steps: number, draws = steps): string | undefined {
  if (photos === 1)
    return "one photo only: its pose, its light and its background are learnt with the subject; 4 to 6 that differ in them teach the subject alone";
  if (photos > MANY_PHOTOS)
    return `${photos} photos are seen ${(draws / photos).toFixed(1)} times each in ${steps} steps; 4 to 6 good ones are enough, more want more --steps`;
  return undefined;
}

/** Whether a training is in a phase that begins anew when it is resumed, as nothing of it is kept. */
export function isPreparing(phase: string | undefined): boolean {
  return phase === "loading" || phase === "measuring";
}

/** Trains in the engine's thread, with the progress on the terminal. */
export async function runTraining(
  request: TrainRequest,
  flags: Pick<TrainFlags, "resume" | "yes" | "json"> & {
    readonly dryRun?: boolean;
    readonly tensorBoard?: boolean | undefined;
  },
  progress: Progress,
  signal: AbortSignal,
): Promise<TrainResult> {
  try {
    return await runTrainTask(
      { request, resume: flags.resume, dryRun: flags.dryRun ?? false, tensorBoard: flags.tensorBoard ?? false },
      {
        onEvent: createListener(progress, flags.json),
        confirm: (estimate) => confirmCost(estimate, flags, progress, signal),
        signal,
      },
    );
  } finally {
    progress.stop();
  }
}

/** Prints the events as JSON lines, or feeds them to the progress display. */
function createListener(progress: Progress, json: boolean): (event: RunEvent | ProgressEvent) => void {
  let reward = "";
  return (told) => {
    const event = worded(told, flagName);
    if (json && event.type !== "progress") process.stdout.write(`${JSON.stringify(event)}\n`);
    switch (event.type) {
      case "progress":
        progress.update(event.phase, event.done, event.total, reward);
        break;
      case "warning":
        progress.log(`warning: ${event.text}`);
        break;
      case "validation":
        reward = `reward ${event.reward.toFixed(3)} ± ${event.standardError.toFixed(3)}`;
        progress.log(
          `step ${event.step}: ${reward} at lambda ${event.lambda}${event.extra === true ? " (out of turn)" : ""}`,
        );
        break;
      case "best":
        progress.log(`step ${event.step} is the best so far`);
        break;
      case "start":
      case "anchors":
      case "starting-picture":
      case "round":
      case "step":
      case "stop":
      case "error":
      case "estimate":
        break;
    }
  };
}

async function confirmCost(
  estimate: CostEstimate,
  { yes, json }: Pick<TrainFlags, "yes" | "json">,
  progress: Progress,
  signal: AbortSignal,
): Promise<boolean> {
  const { seconds, secondsPerStep, pictures, steps, peakBytes } = estimate;
  if (json) process.stdout.write(`${JSON.stringify({ type: "estimate", ...estimate })}\n`);
  progress.log(
    `${steps} steps of ${secondsPerStep.toFixed(2)} s and ${pictures} pictures to draw: at most ${duration(seconds)}, about ${bytesText(peakBytes)} of memory`,
  );
  if (yes || seconds < ASK_ABOVE_SECONDS || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  progress.stop();
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.on("SIGINT", () => process.emit("SIGINT"));
  const answer = await prompt.question("Go on? [Y/n] ", { signal }).catch(() => "n"); // Ctrl-C, or no more input
  prompt.close();
  return !/^\s*n/i.test(answer);
}
