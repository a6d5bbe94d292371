import { z } from "zod";
import { pictureSeed as seed, stepNumber } from "../runs/event-fields.ts";
import { UsageError } from "../system/errors.ts";
import { staysInside } from "../system/inside.ts";
import { parseAs, parseJson } from "../system/json.ts";
import { amount, share } from "../system/numbers.ts";
import type { RewardScale } from "../reward/scale.ts";
import { budgetSchema } from "../settings/bench.ts";
import { METHODS } from "./methods.ts";

/** What a benchmark's folder holds (docs/benchmark.md). It is parsed, not trusted: it may be damaged, or from another machine. */

export const RESULTS_FILE = "results.jsonl";
/** Where each row's figures come from, a line each; of several for a row the last counts. */
export const ORIGINS_FILE = "origins.jsonl";
export const STATUS_FILE = "status.json";
/** In the folder of each piece of work. */
export const RESULT_FILE = "result.json";

/** Pictures and runs of a benchmark; its page shows them, and is handed on. */
const folder = z.string().refine(staysInside, "expected a path in the benchmark's folder");

/** A line of origins.jsonl: where a row's figures come from, paths in the benchmark's folder. */
const originSchema = z.object({
  subject: z.string(),
  method: z.enum(METHODS),
  lambda: share.nullable(),
  seed: seed.nullable(),
  budget: budgetSchema.optional(),
  pictures: folder.nullable(),
  run: folder.nullable(),
  /** The step whose checkpoint drew the pictures. */
  checkpoint: stepNumber.nullable(),
});
export type Origin = z.output<typeof originSchema>;

/** Undefined for a line that is none: its row is made again. */
export function parseOrigin(line: string): Origin | undefined {
  try {
    return originSchema.parse(parseJson(line));
  } catch {
    return undefined;
  }
}

/** A line of one of a benchmark's files. @throws UsageError that begins with `where` for one that is damaged */
export function parseBenchLine<T>(schema: z.ZodType<T>, line: string, where: string): T {
  const advice = "remove the line, and its row is computed again";
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {
    throw new UsageError(`${where}: not JSON; ${advice}`);
  }
  try {
    return parseAs(schema, value, where, UsageError);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${error.message}; ${advice}`) : error;
  }
}

/** A line of origins.jsonl. @throws UsageError that begins with `where` */
export function parseOriginLine(line: string, where: string): Origin {
  return parseBenchLine(originSchema, line, where);
}

/** The validations of a finished run, with the seconds of the steps before each; the file calls the alignments of their images scores. */
export const validationsSchema = z
  .array(
    z.object({
      step: stepNumber,
      seconds: amount,
      scores: z.array(z.object({ alignI: share, alignT: share })).min(1),
    }),
  )
  .min(1)
  .refine(
    (list) =>
      list.every(
        ({ step, scores }, i) => i === 0 || (step > list[i - 1].step && scores.length === list[0].scores.length),
      ),
    "expected rising steps, each with as many scores as the first",
  )
  .transform((list) => list.map(({ scores, ...validation }) => ({ ...validation, images: scores })));

/** How a finished run judged its validations; runs of earlier versions do not say so, and judged harmonically. */
export const scaleSchema = z.discriminatedUnion("form", [
  z.object({ form: z.literal("harmonic") }),
  z.object({
    form: z.literal("calibrated"),
    anchors: z.object({
      photosI: share,
      pictures: z.array(z.object({ photosT: share, likeness: z.boolean() })).readonly(),
    }),
  }),
]) satisfies z.ZodType<RewardScale>;
