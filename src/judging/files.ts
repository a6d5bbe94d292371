import { join } from "node:path";
import type { RunControl } from "../runs/events.ts";
import { checkpointPath } from "../runs/folder.ts";
import { judgedProblem, readJudged, writeJudged, type Judging } from "../runs/judged.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { JudgedLog } from "./judged-log.ts";
import type { Opened } from "./judge-step.ts";
import type { JudgingContext } from "./open-judging.ts";
import type { Ordered } from "./order.ts";
import { createScanner, type Look } from "./scan.ts";
import { openTrained } from "./trained.ts";
import { pause, PATIENCE, watchChanges, type Patience } from "./waiting.ts";

/** The files to be judged, as they come. */
export interface Files {
  /** Opens all that are there and not judged yet. @throws ModelError, UsageError naming the first that cannot be judged */
  check(judged: ReadonlySet<number>): Promise<void>;
  /** The next one by its step; undefined where there is none, and none is waited for, or it was asked to stop. */
  next(log: Pick<JudgedLog, "validations">): Promise<Opened | undefined>;
}

export interface FilesOptions {
  readonly request: Pick<TrainRequest, "output">;
  readonly judging: Judging;
  /** Whether to wait for more files. */
  readonly watch: boolean;
  readonly patience?: Patience | undefined;
}

export function createFiles(
  { request: { output: run }, judging, watch, patience = PATIENCE }: FilesOptions,
  { model }: Pick<JudgingContext, "model">,
  { emit, signal }: RunControl,
): Files {
  const scanner = createScanner(judging.checkpoints, { mayCome: watch });
  const changes = watchChanges(patience);
  const said = new Set<string>();
  const warn = (text: string): void => {
    if (!said.has(text)) emit({ type: "warning", text });
    said.add(text);
  };
  const refused = new Set<string>();
  const look = async (): Promise<Look> => {
    const found = await scanner.look();
    found.notes.forEach(warn);
    return found;
  };
  /** Whether a file was judged; one that has moved since is so where it is now. */
  const isJudged = async ({ step, path }: Ordered, judged: ReadonlySet<number>): Promise<boolean> => {
    if (!judged.has(step)) return false;
    const known = await readJudged(join(run, checkpointPath(step)));
    if (known === undefined) return false;
    const problem = await judgedProblem(known);
    const isHere = known.path === path || known.path.startsWith(join(path, "/"));
    if (problem === undefined && isHere) return true;
    const { checkpoint } = await openTrained(step, path, model);
    if (Object.values(checkpoint.files).join() === Object.values(known.files).join()) {
      await writeJudged(run, checkpoint);
      return true;
    }
    if (!isHere)
      throw new UsageError(
        say`${setting("output", run)}: step ${step} of it is ${known.path}, and ${path} is another model; choose another folder`,
      );
    warn(`${path} has changed since it was judged: it is judged again`);
    return false;
  };
  /** The first that is to be judged; "changing" where a file is being written. */
  const first = async (judged: ReadonlySet<number>): Promise<Opened | "changing" | undefined> => {
    const { checkpoints, partial } = await look();
    let isChanging = false;
    const passOver = async (path: string, problem: string): Promise<void> => {
      if (await changes.isChanging(path)) isChanging = true;
      else warn(`passed over: ${problem}`);
    };
    for (const each of checkpoints) {
      try {
        if (refused.has(each.path) || (await isJudged(each, judged))) continue;
        return await openTrained(each.step, each.path, model);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        await passOver(each.path, error.message);
        if (!isChanging) refused.add(each.path);
      }
    }
    for (const { path, problem } of partial) await passOver(path, problem);
    return isChanging ? "changing" : undefined;
  };
  return {
    async check(judged) {
      const { checkpoints, partial } = await look();
      if (checkpoints.length + partial.length === 0 && !watch)
        throw new UsageError(
          say`${setting("checkpoints", judging.checkpoints[0])}: no checkpoint there (expected .safetensors files, folders such as checkpoint-500, or a trainer's output folder)`,
        );
      for (const each of checkpoints)
        if (!(await isJudged(each, judged)))
          try {
            await openTrained(each.step, each.path, model);
          } catch (error) {
            if (!(error instanceof ModelError && (await changes.isChanging(each.path)))) throw error;
          }
    },
    async next({ validations }) {
      const judged = new Set(validations.map(({ step }) => step));
      for (let waits = 0; !signal.aborted; waits++) {
        const found = await first(judged);
        if (found !== undefined && found !== "changing") return found;
        if (found === undefined && !watch) return undefined;
        emit({ type: "progress", phase: "waiting", done: 0, total: 1 });
        await pause(patience.lookMs, signal);
      }
      return undefined;
    },
  };
}
