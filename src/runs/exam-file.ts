import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../system/errors.ts";
import { readJson, writeJson } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";
import { parseAs } from "../system/json.ts";
import { measured, amount, share } from "../system/numbers.ts";
import { stepNumber } from "./event-fields.ts";

/**
 * exam.json in a demo's folder: how its models did in the exam of the rendered world, whose judges neither train nor choose.
 * docs/demo.md says what the columns are.
 */
const EXAM_FILE = "exam.json";

const estimate = z.object({ mean: measured, standardError: amount });
const examSchema = z.object({
  /** Pictures of each model. */
  pictures: z.number().int().min(1).max(10_000),
  models: z
    .array(
      z.object({
        label: z.string().max(100),
        step: stepNumber,
        identity: estimate,
        obedience: estimate,
        colours: estimate,
        good: z.object({ mean: share, standardError: amount }),
      }),
    )
    .max(100),
});

export type ExamFile = z.output<typeof examSchema>;

export function writeExam(run: string, exam: ExamFile): Promise<void> {
  return writeJson(join(run, EXAM_FILE), exam);
}

/** Undefined where there is none. @throws UsageError when it is damaged, or leads out of the folder */
export async function readExam(run: string): Promise<ExamFile | undefined> {
  const path = insideOf(run, EXAM_FILE);
  if (path === undefined) return undefined;
  return parseAs(examSchema, await readJson(path, UsageError), path, UsageError);
}
