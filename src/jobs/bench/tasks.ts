import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { validationsSchema } from "../../evaluation/bench/files.ts";
import { MOST_PICTURES } from "../../evaluation/bench/results.ts";
import type { TrainRequest } from "../../rpo/settings.ts";
import { UsageError } from "../../tensor/errors.ts";
import { parseAs } from "../../tensor/json.ts";
import { cosine, distance, share, wholeFrom } from "../../tensor/numbers.ts";
import type { EvaluateSettings } from "../evaluate.ts";
import type { GenerateSettings } from "../generate.ts";
import type { PhotosSettings } from "../photos.ts";

/** What a benchmark is made of, each with its settings but for what the machine decides: threads, and where it works. */
interface TaskSettings {
  /** One training run, to its last step. */
  readonly train: Omit<TrainRequest, "output" | "threads">;
  /** All pictures of one checkpoint of one subject. */
  readonly draw: Omit<GenerateSettings, "output" | "threads" | "keep">;
  /** The metrics of those pictures. */
  readonly score: Omit<EvaluateSettings, "output" | "threads">;
  /** The metrics of the photos. */
  readonly photos: Omit<PhotosSettings, "threads">;
}
export type TaskKind = keyof TaskSettings;

/** A task as a job carries it. */
export type BenchTask = {
  [K in TaskKind]: {
    readonly kind: K;
    /** Where its result goes: <benchmark>/<kind>/<key>, the same on every machine. */
    readonly folder: string;
    readonly settings: TaskSettings[K];
  };
}[TaskKind];

export type SettingsOf<K extends TaskKind> = TaskSettings[K];

const scores = z.object({
  dino: cosine.optional(),
  clipI: cosine.optional(),
  clipT: cosine.optional(),
  alignI: share.optional(),
  alignT: share.optional(),
});

/** What each kind of task ends with: the result.json in its folder. */
export const RESULTS = {
  train: z.object({ validations: validationsSchema }),
  draw: z.object({ pictures: wholeFrom(0, MOST_PICTURES) }),
  score: z.object({ scores, copyRate: share.optional(), diversity: distance.optional() }),
  photos: z.object({ photos: wholeFrom(0, MOST_PICTURES), scores }),
} as const satisfies Readonly<Record<TaskKind, z.ZodType>>;

export type ResultOf<K extends TaskKind> = z.output<(typeof RESULTS)[K]>;

const taskSchema = z.strictObject({
  kind: z.enum(Object.keys(RESULTS) as TaskKind[]),
  folder: z.string(),
  settings: z.record(z.string(), z.unknown()),
});

/**
 * A job's data as a task: it comes from a Redis, and its folder is written to and removed.
 * @throws UsageError unless it has a task's form and its folder is one that a benchmark makes
 */
export function parseTask(data: unknown): BenchTask {
  const task = parseAs(taskSchema, data, "the job", UsageError);
  const { kind, folder } = task;
  const isTasks = basename(dirname(folder)) === kind && /^[0-9a-f]{16}$/.test(basename(folder));
  if (!isTasks || resolve(folder) !== folder)
    throw new UsageError(`the job's folder ${folder}: expected an absolute path that ends in ${kind}/ and a key`);
  return task as unknown as BenchTask;
}

/** A key for everything that work depends on: equal work has equal keys, on every machine. */
export function keyOfWork(dependsOn: unknown): string {
  return createHash("sha256").update(canonical(dependsOn)).digest("hex").slice(0, 16);
}

/** JSON with the keys of objects sorted; what is undefined is left out. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
    .join(",")}}`;
}
