import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Value } from "../graph/graph.ts";
import { createAdamW, type AdamW } from "../nn/adamw.ts";
import { optimizerTensors, restoreOptimizer } from "../nn/optimizer-state.ts";
import { withResources } from "../runtime/resources.ts";
import { compileTraining, type TrainingGraph } from "../runtime/training.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { exists, makeFolder, writeFileAtomic } from "../system/files.ts";
import { openSafetensors, writeSafetensors } from "../tensor/safetensors.ts";
import type { Float32Tensor, Tensor } from "../tensor/tensor.ts";
import { createAverage, type RunningAverage } from "./average.ts";
import { learningRateAt, type RateSchedule } from "./rate.ts";

/**
 * A loop of its own, beside the one of training/loop.ts: what is trained here from scratch, many pictures a step, has a rate schedule and ends as
 * the running average of its weights; it has no photos, prompts, reward, validation, run folder or choice of a checkpoint, which are what that
 * loop is about. What both do stands below them: compileTraining, AdamW and its state, safetensors.
 */

export type Feeds = Readonly<Record<string, Tensor>>;
export type Weights = ReadonlyMap<string, Float32Tensor>;

/** One model's training from scratch. */
export interface Course {
  /** Names its files in the work folder. */
  readonly name: string;
  /** Where it begins; a state in the work folder goes before it. */
  readonly initial: Weights;
  /** What a step computes: `loss`, and numbers to log. */
  readonly results: Readonly<Record<string, Value>> & { readonly loss: Value };
  /** The inputs of step `step`, from 1: of the number alone, so that a resumed course goes on as it would have. */
  feeds(step: number): Feeds | Promise<Feeds>;
  readonly steps: number;
  readonly rate: RateSchedule;
  readonly weightDecay?: number;
  readonly emaDecay?: number;
  /** Told the results of every step before the update, e.g. for running statistics. */
  observe?(results: Feeds, optimizer: AdamW): void;
}

export interface CourseOptions {
  readonly folder: string;
  readonly session: SessionOptions;
  /** Told now and then where the course stands. */
  readonly onLog: (line: CourseLog) => void;
  /** Whether to save and stop after the step at hand. */
  readonly shouldStop: () => boolean;
}

/** A line of the course's log: means since the line before. */
export interface CourseLog {
  readonly step: number;
  readonly steps: number;
  readonly secondsPerStep: number;
  readonly values: Readonly<Record<string, number>>;
}

/** What a course is trained with. */
interface CourseTrainer {
  readonly optimizer: AdamW;
  readonly average: RunningAverage;
  readonly graph: TrainingGraph;
  readonly files: { readonly state: string; readonly log: string };
}

const LOG_EVERY = 50;
const SAVE_EVERY_SECONDS = 120;

/**
 * Trains with AdamW and keeps a running average of the weights (EMA), which is what counts in the end.
 *
 * The state is saved every other minute; a course that was stopped or killed goes on from there.
 *
 * @returns the average, and whether all steps are done
 */
export async function runCourse(course: Course, options: CourseOptions): Promise<{ average: Weights; done: boolean }> {
  const { folder, session } = options;
  await makeFolder(folder);
  return withResources(async (own) => {
    const optimizer = own(await createAdamW(course.initial, session));
    const average = own(await createAverage(optimizer.parameters, session));
    const files = {
      state: join(folder, `${course.name}.state.safetensors`),
      log: join(folder, `${course.name}.jsonl`),
    };
    const start = await restore(files.state, optimizer, average);
    if (start >= course.steps) return { average: average.tensors, done: true };
    await cutLog(files.log, start);
    const { parameters, gradients } = optimizer;
    const graph = own(await compileTraining(course.results, { ...session, parameters, gradients }));
    const step = await takeSteps(course, options, { optimizer, average, graph, files });
    return { average: average.tensors, done: step >= course.steps };
  });
}

/** Steps from the optimizer's count on, until all are done or it is to stop. @returns the step that it stands at, which is saved */
async function takeSteps(
  course: Course,
  options: CourseOptions,
  { optimizer, average, graph, files }: CourseTrainer,
): Promise<number> {
  const log = createLog(course, options, files.log, optimizer.stepCount);
  let step = optimizer.stepCount;
  let saved = performance.now();
  let ready = feedsAhead(course, step + 1);
  try {
    while (step < course.steps && !options.shouldStop()) {
      step++;
      const feeds = await ready;
      const results = await graph.run(feeds);
      if (step < course.steps) ready = feedsAhead(course, step + 1);
      course.observe?.(results, optimizer);
      const gradNorm = await optimizer.step({
        learningRate: learningRateAt(step, course.steps, course.rate),
        weightDecay: course.weightDecay ?? 0.01,
      });
      await average.take(Math.min(course.emaDecay ?? 0.999, (1 + step) / (10 + step)));
      if (!Number.isFinite(results["loss"].data[0]))
        throw new Error(`${course.name}: the loss is not finite at step ${step}`);
      await log(step, results, gradNorm);
      if (performance.now() - saved > SAVE_EVERY_SECONDS * 1000) {
        await save(files.state, optimizer, average);
        saved = performance.now();
      }
    }
  } finally {
    await ready.catch(() => undefined); // the pictures of a step that is not taken are still being made
  }
  await save(files.state, optimizer, average);
  return step;
}

/** The inputs of a step, made while the step before is computed; a failure is told to whoever awaits them, and to nobody if none does. */
function feedsAhead(course: Course, step: number): Promise<Feeds> {
  const feeds = (async () => course.feeds(step))();
  feeds.catch(() => undefined);
  return feeds;
}

/** Sums what steps compute, and tells and writes the means now and then. */
function createLog(course: Course, { onLog }: CourseOptions, path: string, first: number) {
  const sums = new Map<string, number>();
  const tally = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
  let [logged, loggedStep] = [performance.now(), first];
  return async (step: number, results: Feeds, gradNorm: number): Promise<void> => {
    for (const name of Object.keys(course.results))
      if (results[name].data.length === 1) tally(name, results[name].data[0]);
    tally("gradNorm", gradNorm);
    if (step % LOG_EVERY !== 0 && step !== course.steps) return;
    const count = step - loggedStep;
    const values = Object.fromEntries([...sums].map(([name, sum]) => [name, sum / count]));
    const secondsPerStep = (performance.now() - logged) / 1000 / count;
    sums.clear();
    [logged, loggedStep] = [performance.now(), step];
    await appendFile(path, `${JSON.stringify({ step, ...values, secondsPerStep })}\n`);
    onLog({ step, steps: course.steps, secondsPerStep, values });
  };
}

/** The average that a course has reached; undefined where it has not begun. */
export async function readAverage(
  folder: string,
  name: string,
): Promise<{ weights: Weights; step: number } | undefined> {
  const path = join(folder, `${name}.state.safetensors`);
  if (!(await exists(path))) return undefined;
  const file = await openSafetensors(path);
  const weights = new Map<string, Float32Tensor>();
  for (const key of file.tensors.keys()) {
    if (!key.startsWith("average.")) continue;
    const tensor = await file.read(key);
    if (tensor.dtype === "float32") weights.set(key.slice("average.".length), tensor);
  }
  return { weights, step: Number(file.metadata.get("step") ?? 0) };
}

async function save(path: string, optimizer: AdamW, average: RunningAverage): Promise<void> {
  const metadata = { step: String(optimizer.stepCount) };
  await optimizer.fetch();
  await average.fetch();
  await writeSafetensors(path, optimizerTensors(optimizer, { average: average.tensors }), { metadata });
}

/** @returns the step that the state stands at, 0 where there is none */
async function restore(path: string, optimizer: AdamW, average: RunningAverage): Promise<number> {
  if (!(await exists(path))) return 0;
  const file = await openSafetensors(path);
  await restoreOptimizer(file, optimizer, { average: average.tensors });
  await optimizer.send();
  await average.send();
  optimizer.stepCount = Number(file.metadata.get("step") ?? 0);
  return optimizer.stepCount;
}

/** Takes lines out of the log that a killed process wrote after its last saved state. */
async function cutLog(path: string, step: number): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => "");
  const kept = text.split("\n").filter((line) => line !== "" && stepOf(line) <= step);
  await writeFileAtomic(path, kept.map((line) => `${line}\n`).join(""));
}

function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { step: unknown }).step);
  } catch {
    return Infinity; // cut in the middle
  }
}
