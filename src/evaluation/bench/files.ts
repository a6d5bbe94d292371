import { z } from "zod";
import { staysInside } from "../../tensor/inside.ts";
import { METHODS } from "./methods.ts";

/** What a benchmark's folder holds (docs/benchmark.md). */

/** Settings, and hashes of what they were used with. */
export const PLAN_FILE = "bench.json";
export const RESULTS_FILE = "results.jsonl";
/** Where each row's figures come from, a line each; of several for a row the last counts. */
export const ORIGINS_FILE = "origins.jsonl";
export const STATUS_FILE = "status.json";
/** In the folder of each piece of work. */
export const RESULT_FILE = "result.json";

/** A line of origins.jsonl: where a row's figures come from, paths in the benchmark's folder. */
const originSchema = z.object({
  subject: z.string(),
  method: z.enum(METHODS),
  lambda: z.number().nullable(),
  seed: z.int().nullable(),
  pictures: z.string().refine(staysInside).nullable(),
  run: z.string().refine(staysInside).nullable(),
  /** The step whose checkpoint drew the pictures. */
  checkpoint: z.int().nullable(),
});
export type Origin = z.output<typeof originSchema>;

/** Undefined for a line that is none, as one that was cut. */
export function parseOrigin(line: string): Origin | undefined {
  try {
    return originSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
