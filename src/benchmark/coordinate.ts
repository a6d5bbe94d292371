import { readdir } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RESULT_FILE, type Origin } from "./files.ts";
import { variantsOf, type Variant } from "./methods.ts";
import type { Results, Row, RowKey } from "./results/results.ts";
import { checkpointPath } from "../runs/folder.ts";
import { ModelError } from "../system/errors.ts";
import { inFlags } from "../settings/flag-name.ts";
import { Interrupted, type JobQueue } from "../queue/queue.ts";
import { readResult } from "./folder.ts";
import { methodEntry } from "../settings/learning.ts";
import { fillText } from "../training/prompts.ts";
import type { Hashes } from "./hashes.ts";
import { trainingBy, type BenchPlan, type PlannedSubject } from "./plan.ts";
import { writeTask } from "./tasks/files.ts";
import { keyOfWork, RESULTS, type BenchTask, type ResultOf, type TaskReference } from "./tasks/tasks.ts";
import { trained, trainedBy, type Need } from "./trainings.ts";

export interface CoordinateOptions {
  readonly plan: BenchPlan;
  readonly hashes: Hashes;
  readonly queue: JobQueue<TaskReference, null>;
  readonly results: Results;
  /** Whether there is nothing to do for a row. */
  readonly isComplete: (key: RowKey) => boolean;
  /** Told before a row is written. */
  readonly onRow: (row: Row, origin: Origin) => Promise<void>;
  /** How long the disk of several machines may take to show here what another machine has put there. */
  readonly diskLagMs?: number | undefined;
}

/** A row that could not be made. */
export interface Failure extends RowKey {
  readonly reason: string;
}

/** The rows that a plan has, in the order in which they are begun. */
export function rowsOf({
  subjects,
  methods,
  seeds,
  budget,
}: BenchPlan): { subject: PlannedSubject; variant: Variant; seed: number | null }[] {
  return subjects.flatMap((subject) =>
    variantsOf(methods, budget).flatMap((variant) =>
      (variant.source.from === "photos" ? [null] : seeds).map((seed) => ({ subject, variant, seed })),
    ),
  );
}

/**
 * Makes the rows that are missing. Each row is plain code that asks for the work it needs; work that several rows need has one key and is
 * done once, and what a row asks for next may depend on what came before (which checkpoint was chosen).
 * @returns the rows that failed; the others are made all the same
 * @throws Interrupted when the queue was closed
 */
export async function coordinate(options: CoordinateOptions): Promise<Failure[]> {
  const { plan, results, isComplete, onRow } = options;
  const failures: Failure[] = [];
  const missing = rowsOf(plan)
    .map((each, index) => ({ ...each, priority: priorityOf(plan, each.subject, index) }))
    .filter(({ subject, variant, seed }) => !isComplete({ subject: subject.name, ...variant, seed }));
  const outcomes = await Promise.allSettled(
    missing.map(async ({ subject, variant, seed, priority }) => {
      const { method, lambda, budget } = variant;
      const key: RowKey = { subject: subject.name, method, lambda, seed, ...(budget !== undefined && { budget }) };
      try {
        const { row, origin } = await rowOf(key, subject, variant, need(options, priority), options);
        await onRow(row, origin);
        await results.append(row);
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        failures.push({ ...key, reason: inFlags(error) });
      }
    }),
  );
  const interrupted = outcomes.find((outcome) => outcome.status === "rejected");
  if (interrupted !== undefined) throw interrupted.reason;
  return failures;
}

/** Subjects one after the other, so that a benchmark that is stopped has whole ones. BullMQ's priorities end at 2^21. */
function priorityOf({ subjects }: BenchPlan, subject: PlannedSubject, index: number): number {
  return Math.min(2 ** 21 - 1, 1 + subjects.indexOf(subject) * 100 + (index % 100));
}

function need({ plan, queue, diskLagMs = 10_000 }: CoordinateOptions, priority: number): Need {
  const benchmark = keyOfWork(plan.output);
  return async (kind, dependsOn, settings, what) => {
    const key = keyOfWork([kind, dependsOn]);
    const folder = join(plan.output, kind, key);
    let result = await readResult(folder);
    if (result === undefined) {
      await writeTask({ kind, folder, settings } as BenchTask);
      const label = `${kind} ${what}`;
      await queue.run({ id: `${benchmark}.${kind}.${key}`, label, priority, data: { kind, folder } });
      result = await resultOf(folder, diskLagMs);
    }
    const parsed = RESULTS[kind].safeParse(result);
    if (!parsed.success)
      throw new ModelError(`${join(folder, RESULT_FILE)} is damaged; remove the folder, and its work is done again`);
    return { result: parsed.data as ResultOf<typeof kind>, folder };
  };
}

/** The result of work that a worker says is done. @throws Error when it is not there */
async function resultOf(folder: string, diskLagMs: number): Promise<unknown> {
  for (const began = performance.now(); ;) {
    const result = await readResult(folder);
    if (result !== undefined) return result;
    // opening a folder has a network's disk look again
    await readdir(dirname(folder)).catch(() => []);
    if (performance.now() - began > diskLagMs)
      throw new Error(`${folder} is said to be done, but is not there; do all machines see it under the same path?`);
    await sleep(Math.min(500, diskLagMs));
  }
}

/** The model before training. */
const NOT_TRAINED = { run: null, checkpoint: 0, steps: 0, seconds: 0, memory: null } as const;

async function rowOf(
  key: RowKey,
  subject: PlannedSubject,
  variant: Variant,
  ask: Need,
  { plan, hashes }: CoordinateOptions,
): Promise<{ row: Row; origin: Origin }> {
  const { judges, drawing } = plan;
  const { source } = variant;
  const photos = hashes.photos[subject.name];
  const { seed } = key;
  const machine = machineOf(subject);
  const what = seed === null ? subject.name : `${subject.name} seed ${seed}`;
  if (source.from === "photos" || seed === null) {
    const settings = { references: subject.folder, judges, ...machine };
    const { result } = await ask("photos", { photos, judges: hashes.judges, ...machine }, settings, what);
    return {
      row: {
        ...key,
        steps: 0,
        seconds: 0,
        memory: null,
        pictures: result.photos,
        ...scoresOf(result.scores),
        copyRate: null,
        diversity: null,
      },
      origin: { ...key, pictures: null, run: null, checkpoint: null },
    };
  }

  const method = trainedBy(source);
  const { model, variant: files, token } = trainingBy(subject, method);
  const asking = { subject, seed, hashes, need: ask };
  const { run, checkpoint, steps, seconds, memory } =
    source.from === "run" ? await trained({ ...variant, source }, asking) : NOT_TRAINED;
  const adapter = checkpoint === 0 || run === null ? undefined : run;
  const { isTokenAlone } = methodEntry(method);
  const prompts = subject.prompts.map((prompt) => fillText(prompt, { token, class: subject.class, isTokenAlone }));
  const size = subject.training.resolution;
  const pictures = {
    prompts,
    count: drawing.pictures,
    // seeds do not share noises
    seed: seed * drawing.pictures,
    sampler: "dpm",
    steps: drawing.steps,
    guidance: drawing.guidance,
    height: size,
    width: size,
    ...machine,
  } as const;
  const drawn = {
    ...pictures,
    model: hashes.model,
    variant: files,
    checkpoint: adapter && `${basename(adapter)} ${checkpoint}`,
  };
  const { result: drew, folder } = await ask(
    "draw",
    drawn,
    { ...pictures, model, variant: files, adapter: adapter && join(adapter, checkpointPath(checkpoint)) },
    `${what} step ${checkpoint}`,
  );
  const { result: verdict } = await ask(
    "score",
    { drawn, photos, token, judges: hashes.judges },
    { references: subject.folder, images: folder, token, class: subject.class, judges, ...machine },
    `${what} step ${checkpoint}`,
  );
  return {
    row: {
      ...key,
      steps,
      seconds,
      memory,
      pictures: drew.pictures,
      ...scoresOf(verdict.scores),
      copyRate: verdict.copyRate ?? null,
      diversity: verdict.diversity ?? null,
    },
    origin: { ...key, pictures: pathIn(plan, folder), run: run && pathIn(plan, run), checkpoint },
  };
}

function scoresOf({ dino, clipI, clipT, alignI, alignT }: ResultOf<"score">["scores"]) {
  return {
    dino: dino ?? null,
    clipI: clipI ?? null,
    clipT: clipT ?? null,
    alignI: alignI ?? null,
    alignT: alignT ?? null,
  };
}

/** Where a subject's work is done, if not on the processor: other devices' figures differ by rounding. */
function machineOf({ training: { device, precision } }: PlannedSubject) {
  return device === "cpu" ? {} : { device, precision };
}

/** "train/0123456789abcdef" */
function pathIn({ output }: BenchPlan, folder: string): string {
  return relative(output, folder);
}
