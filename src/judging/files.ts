import type { RunControl } from "../runs/events.ts";
import { judgedProblem, type JudgedCheckpoint, type Judging } from "../runs/judged.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { isCheckpoints } from "./find.ts";
import type { JudgedLog } from "./judged-log.ts";
import { createKnownFiles } from "./known-files.ts";
import { stampOf } from "./stamps.ts";
import type { Opened } from "./judge-step.ts";
import type { JudgingContext } from "./open-judging.ts";
import type { Ordered } from "./order.ts";
import { renumber } from "./renumber.ts";
import { checkSameTraining } from "./same-training.ts";
import { createScanner, type Look } from "./scan.ts";
import { openTrained } from "./trained.ts";
import { pause, PATIENCE, watchChanges, type Patience } from "./waiting.ts";
import { warnOnce } from "./warn-once.ts";

/** The log as far as files look at it. */
type Log = Pick<JudgedLog, "validations" | "renumber">;

/** The files to be judged, as they come. */
export interface Files {
  /** Opens all that are there and not judged yet. @throws ModelError, UsageError naming the first that cannot be judged */
  check(log: Pick<JudgedLog, "validations">): Promise<void>;
  /** The next one by its step; undefined where there is none, and none is waited for, or it was asked to stop. */
  next(log: Log): Promise<Opened | undefined>;
  /** Passes over one that was opened and cannot be drawn with, until it is written anew. */
  passOver(opened: Opened, problem: string): Promise<void>;
}

export interface FilesOptions {
  readonly request: Pick<TrainRequest, "output">;
  readonly judging: Judging;
  /** Whether to wait for more files. */
  readonly watch: boolean;
  readonly patience?: Patience | undefined;
}

/** Whether a judged file is that of one of these. */
function isAt(places: readonly string[], { path }: Pick<JudgedCheckpoint, "path">): boolean {
  return places.some((each) => isCheckpoints(each, path));
}

/** What a file is like as that of a step. */
async function stampAt(step: number, path: string): Promise<string> {
  return `${step} ${(await stampOf(path))?.text ?? ""}`;
}

export function createFiles(
  { request: { output: run }, judging, watch, patience = PATIENCE }: FilesOptions,
  { model }: Pick<JudgingContext, "model">,
  { emit, signal }: Pick<RunControl, "emit" | "signal">,
): Files {
  const scanner = createScanner(judging.checkpoints, { mayCome: watch });
  const changes = watchChanges();
  const known = createKnownFiles(run);
  const warn = warnOnce({ emit });
  /** What cannot be judged, by its path: what it was when that was found. */
  const refused = new Map<string, string>();
  /** What is judged, by its path: what it was when that was found. */
  const settled = new Map<string, string>();
  let isOurs = false;
  const look = async (judged: ReadonlyMap<number, JudgedCheckpoint>): Promise<Look> => {
    const found = await scanner.look(judged.values());
    if (!isOurs) await checkSameTraining(run, found.checkpoints, judged);
    isOurs ||= found.checkpoints.length > 0;
    found.notes.forEach(warn);
    return found;
  };

  /** Whether a file was judged, and is what was judged. */
  const isAsJudged = async ({ path, twins }: Ordered, before: JudgedCheckpoint): Promise<boolean> =>
    isAt([path, ...twins], before) && (await judgedProblem(before)) === undefined;

  /** The same, after a look into it: one that has moved since is judged where it is now. @throws UsageError for another model of a step */
  const isJudged = async (each: Ordered, before: JudgedCheckpoint | undefined): Promise<boolean> => {
    if (before === undefined) return false;
    if (await isAsJudged(each, before)) return true;
    const { step, path, twins } = each;
    const { checkpoint } = await openTrained(step, path, model);
    if (Object.values(checkpoint.files).join() === Object.values(before.files).join()) {
      await known.put(checkpoint);
      return true;
    }
    if (!isAt([path, ...twins], before))
      throw new UsageError(
        say`${setting("output", run)}: step ${step} of it is ${before.path}, and ${path} is another model; choose another folder`,
      );
    warn(`${path} has changed since it was judged: it is judged again`);
    return false;
  };

  /** A file that is to be judged; "judged" where it was, "changing" where it is being written, "refused" where it cannot be. */
  const consider = async (
    each: Ordered,
    before: JudgedCheckpoint | undefined,
  ): Promise<Opened | "judged" | "changing" | "refused"> => {
    const { path, step } = each;
    const stamp = await stampAt(step, path);
    if (refused.get(path) === stamp) return "refused";
    if (settled.get(path) === stamp) return "judged";
    const isFresh = !(before !== undefined && (await isAsJudged(each, before)));
    if (isFresh && (await changes.isChanging(path, patience.settleMs))) return "changing";
    try {
      if (isFresh && !(await isJudged(each, before))) return await openTrained(step, path, model);
    } catch (error) {
      if (!(error instanceof ModelError || (watch && error instanceof UsageError))) throw error;
      return refuse(path, stamp, error.message);
    }
    settled.set(path, stamp);
    return "judged";
  };

  /** What is not whole is waited for as long as it changes, and passed over, with a line, until it changes again. */
  const refuse = async (path: string, stamp: string, problem: string): Promise<"changing" | "refused"> => {
    if (await changes.isChanging(path, patience.quietMs)) return "changing";
    // one that is gone by now is no more to be told of
    if ((await stampOf(path)) !== undefined) emit({ type: "warning", text: `passed over: ${problem}` });
    refused.set(path, stamp);
    return "refused";
  };

  /** The first that is to be judged; "changing" where a file is being written. */
  const first = async (log: Log): Promise<Opened | "changing" | undefined> => {
    let judged = await known.of(log);
    const { checkpoints, partial, moves } = await look(judged);
    for (const [from, to] of await renumber(run, moves, log)) [from, to].forEach((step) => known.forget(step));
    judged = await known.of(log);
    let isChanging = false;
    for (const each of checkpoints) {
      const found = await consider(each, judged.get(each.step));
      if (found === "changing") isChanging = true;
      else if (found !== "judged" && found !== "refused") return found;
    }
    for (const { path, problem } of partial) {
      const stamp = (await stampOf(path))?.text ?? "";
      if (refused.get(path) !== stamp && (await refuse(path, stamp, problem)) === "changing") isChanging = true;
    }
    return isChanging ? "changing" : undefined;
  };

  /** {@link first}, where an order that cannot be told is waited out: who watches may be asleep. */
  const firstOrWait = async (log: Log): Promise<Opened | "changing" | undefined> => {
    try {
      return await first(log);
    } catch (error) {
      if (!(watch && error instanceof UsageError)) throw error;
      warn(`${error.message}; nothing more is judged until that is put right`);
      return undefined;
    }
  };

  return {
    async check(log) {
      const judged = await known.of(log);
      const { checkpoints, partial, moves } = await look(judged);
      if (checkpoints.length + partial.length === 0 && !watch)
        throw new UsageError(
          say`${setting("checkpoints", judging.checkpoints[0])}: no checkpoint there (expected .safetensors files, folders such as checkpoint-500, or a trainer's output folder)`,
        );
      const byStep = new Map([...judged].map(([step, file]) => [moves.get(step) ?? step, file]));
      for (const each of checkpoints)
        try {
          if (!(await isJudged(each, byStep.get(each.step)))) await openTrained(each.step, each.path, model);
        } catch (error) {
          if (!(error instanceof ModelError && (await changes.isChanging(each.path, patience.quietMs)))) throw error;
        }
    },
    async passOver({ place, checkpoint: { step } }, problem) {
      emit({ type: "warning", text: `passed over: ${problem}` });
      refused.set(place, await stampAt(step, place));
    },
    async next(log) {
      for (let waits = 0; !signal.aborted; waits++) {
        const found = await firstOrWait(log);
        if (found !== undefined && found !== "changing") {
          known.forget(found.checkpoint.step);
          return found;
        }
        if (found === undefined && !watch) return undefined;
        if (waits === 0) emit({ type: "progress", phase: "waiting", done: 0, total: 1 });
        await pause(patience.lookMs, signal);
      }
      return undefined;
    },
  };
}
