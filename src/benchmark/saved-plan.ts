import { join } from "node:path";
import { z } from "zod";
import { BENCHMARK_FILE } from "../runs/folder.ts";
import { SURROUNDINGS, type Surroundings } from "../settings/surroundings.ts";
import { UsageError } from "../system/errors.ts";
import { exists, readJson } from "../system/files.ts";
import { parseAs } from "../system/json.ts";
import { amount } from "../system/numbers.ts";

/** bench.json: what a benchmark was begun with. */

const hashesByName = z.record(z.string(), z.string());

/** What bench.json holds; it grows when subjects are added. */
const savedSchema = z.object({
  /** Of the program that began it. */
  version: z.string(),
  name: z.string(),
  /** Of tinybench's photos; benchmarks begun by earlier versions have mixed ones, and do not say so. */
  surroundings: z.enum(SURROUNDINGS).optional(),
  drawing: z.object({ pictures: amount, steps: amount, guidance: amount }),
  model: z.string(),
  reward: z.string(),
  judges: hashesByName,
  /** Where those are or were, for people; benchmarks begun by earlier versions do not say so. */
  sources: z.object({ model: z.string(), reward: z.string(), judges: z.record(z.string(), z.string()) }).optional(),
  subjects: z.record(
    z.string(),
    z.object({
      class: z.string(),
      prompts: z.array(z.string()).readonly(),
      training: z.record(z.string(), z.unknown()),
      /** By other methods than RPO. */
      others: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
      photos: hashesByName,
      /** Where the photos were when the subject was last run. */
      folder: z.string(),
    }),
  ),
});
export type Saved = z.output<typeof savedSchema>;

/** Of the folder of a benchmark; undefined where none has begun. @throws UsageError when the file is damaged */
export async function readSaved(output: string): Promise<Saved | undefined> {
  const path = join(output, BENCHMARK_FILE);
  return (await exists(path)) ? parseAs(savedSchema, await readJson(path, UsageError), path, UsageError) : undefined;
}

/** Where the photos of a tinybench that has begun were taken; undefined where none has. @throws UsageError when its file is damaged */
export async function begunSurroundings(output: string): Promise<Surroundings | undefined> {
  const saved = await readSaved(output);
  return saved && surroundingsOf(saved);
}

/** Where the photos of a tinybench were taken. */
export function surroundingsOf({ surroundings = "mixed" }: Pick<Saved, "surroundings">): Surroundings {
  return surroundings;
}
