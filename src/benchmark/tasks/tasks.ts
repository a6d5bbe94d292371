import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { scaleSchema, validationsSchema } from "../files.ts";
import { MOST_PICTURES } from "../results/results.ts";
import { UsageError } from "../../system/errors.ts";
import { parseAs } from "../../system/json.ts";
import { amount, cosine, distance, share, wholeFrom } from "../../system/numbers.ts";
import { TASK_KINDS, type SettingsOf, type TaskKind } from "./settings.ts";

/** Of a path, as the longest that Linux takes. */
const MOST_PATH = 4096;

/** A task as a job carries it. */
export interface TaskReference {
  readonly kind: TaskKind;
  /** Where its result goes: <benchmark>/<kind>/<key>, the same on every machine. */
  readonly folder: string;
}

/** A task with its settings, which a file in the benchmark's folder has. */
export type BenchTask = {
  [K in TaskKind]: TaskReference & { readonly kind: K; readonly settings: SettingsOf<K> };
}[TaskKind];

const scores = z.object({
  dino: cosine.optional(),
  clipI: cosine.optional(),
  clipT: cosine.optional(),
  alignI: share.optional(),
  alignT: share.optional(),
});

/** What each kind of task ends with: the result.json in its folder. */
export const RESULTS = {
  train: z.object({
    validations: validationsSchema,
    scale: scaleSchema.optional(),
    /** The most that was seen resident while it trained. */
    peakBytes: amount.optional(),
  }),
  draw: z.object({ pictures: wholeFrom(0, MOST_PICTURES) }),
  score: z.object({ scores, copyRate: share.optional(), diversity: distance.optional() }),
  photos: z.object({ photos: wholeFrom(0, MOST_PICTURES), scores }),
} as const satisfies Readonly<Record<TaskKind, z.ZodType>>;

export type ResultOf<K extends TaskKind> = z.output<(typeof RESULTS)[K]>;
/** The same as it stands in the file. */
export type WrittenResult<K extends TaskKind> = z.input<(typeof RESULTS)[K]>;

const referenceSchema = z.object({ kind: z.enum(TASK_KINDS), folder: z.string().max(MOST_PATH) });

/**
 * A job's data as a task: it comes from a Redis, and its folder is written to and removed. What else it carries is not looked at.
 * @throws UsageError unless it has a task's form and its folder could be one that a benchmark makes
 */
export function parseReference(data: unknown): TaskReference {
  const { kind, folder } = parseAs(referenceSchema, data, "the job", UsageError);
  const isTasks = basename(dirname(folder)) === kind && /^[0-9a-f]{16}$/.test(basename(folder));
  if (!isTasks || resolve(folder) !== folder || folder.includes("\0"))
    throw new UsageError(`the job's folder ${folder}: expected an absolute path that ends in ${kind}/ and a key`);
  return { kind, folder };
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
