import { hostname } from "node:os";
import { readRunConfig } from "../../runs/config.ts";
import { scaleOfLog } from "../../runs/scale.ts";
import { readEvents, holdsRun } from "../../runs/folder.ts";
import { findCheckpoint } from "../../commands/source.ts";
import type { runTask } from "../../engine/host.ts";
import type { TaskName, Tasks } from "../../engine/tasks.ts";
import { Interrupted, type JobProgress, type Perform } from "../../queue/queue.ts";
import { publish, readResult, takeOver, workFolder } from "../folder.ts";
import { readTask } from "./files.ts";
import { parseReference, type BenchTask, type ResultOf, type TaskReference, type WrittenResult } from "./tasks.ts";

export interface PerformOptions {
  readonly threads: number;
  /** The only folder, links resolved, whose benchmarks are worked on. Default: any benchmark's. */
  readonly root?: string | undefined;
  /** Runs the engine. A test may give another. */
  readonly run: typeof runTask;
}

let begun = 0;

/** The machine's name, as status shows it. */
export function machineName(): string {
  return `${hostname()}:${process.pid}`;
}

/**
 * Does a benchmark's tasks: one that is done already is not done again, one that a dead worker began is continued. A task is published
 * whole, once, whatever is delivered twice; its result is in its folder, and the queue carries none.
 */
export function benchPerformer({ threads, root, run }: PerformOptions): Perform<TaskReference, null> {
  return async ({ data }, { signal, report }) => {
    const task = await readTask(parseReference(data), root);
    if ((await readResult(task.folder)) !== undefined) return null;
    const work = workFolder(task.folder, { machine: hostname(), pid: process.pid, n: ++begun });
    await takeOver(task.folder, work);
    const engine: Engine = {
      threads,
      run: (name, settings, onStep) =>
        run(name, settings, {
          signal,
          onEvent(event) {
            if (event.type === "step") onStep?.();
            onEvent(event, report);
          },
        }),
    };
    await publish(task.folder, work, await perform(task, work, engine, signal));
    return null;
  };
}

interface Engine {
  readonly threads: number;
  /** @param onStep told after each step of a training */
  readonly run: <N extends TaskName>(
    name: N,
    settings: Tasks[N]["settings"],
    onStep?: () => void,
  ) => Promise<Tasks[N]["result"]>;
}

function onEvent(event: Tasks[TaskName]["event"], report: (progress: JobProgress) => void): void {
  if (event.type === "progress") report({ phase: event.phase, done: event.done, total: event.total });
}

/** What a benchmark does without. */
const NOT_DRAWN_WITH = { negative: undefined, height: undefined, width: undefined } as const;
const NOT_JUDGED_BY = { holdOut: undefined, masks: undefined, prompts: undefined } as const;

async function perform(task: BenchTask, work: string, { run, threads }: Engine, signal: AbortSignal): Promise<unknown> {
  switch (task.kind) {
    case "train": {
      const request = { ...task.settings, output: work, threads };
      let peakBytes = 0;
      const onStep = () => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss()));
      const { reason } = await run("train", { request, resume: await holdsRun(work) }, onStep);
      if (reason === "interrupted" || reason === "declined") throw new Interrupted();
      return { ...(await trainingResult(work)), ...(peakBytes > 0 && { peakBytes }) };
    }
    case "draw": {
      const { adapter } = task.settings;
      const checkpoint = adapter === undefined ? undefined : (await findCheckpoint(adapter)).checkpoint;
      const settings = { ...NOT_DRAWN_WITH, ...task.settings, adapter: checkpoint, output: work, keep: true, threads };
      const { pictures, interrupted } = await run("generate", settings);
      if (interrupted) throw new Interrupted();
      return { pictures: pictures.length } satisfies ResultOf<"draw">;
    }
    case "score": {
      if (signal.aborted) throw new Interrupted();
      const settings = { ...NOT_JUDGED_BY, ...task.settings, output: work, threads };
      const { means, copyRate, diversity } = await run("evaluate", settings);
      return { scores: means, copyRate, diversity } satisfies ResultOf<"score">;
    }
    case "photos": {
      if (signal.aborted) throw new Interrupted();
      return run("photos", { ...task.settings, threads });
    }
  }
}

/** What a finished run's events say about its validations, and the seconds of the steps before each. */
async function trainingResult(run: string): Promise<WrittenResult<"train">> {
  let seconds = 0;
  const validations: WrittenResult<"train">["validations"] = [];
  const events = await readEvents(run);
  for (const event of events) {
    if (event.type === "step") seconds += event.seconds;
    // the rows are what the plan says, whatever was asked for meanwhile
    if (event.type === "validation" && event.extra !== true)
      validations.push({
        step: event.step,
        seconds: Math.round(seconds * 1000) / 1000,
        scores: event.images.map(({ alignI, alignT }) => ({ alignI, alignT })),
      });
  }
  const { settings } = await readRunConfig(run);
  return { validations, scale: scaleOfLog(settings.rewardForm, events) };
}
