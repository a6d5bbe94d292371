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
const grade = z.object({
  identity: estimate,
  obedience: estimate,
  colours: estimate,
  good: z.object({ mean: share, standardError: amount }),
});
const examSchema = z.object({
  /** Pictures of each model. */
  pictures: z.number().int().min(1).max(10_000),
  models: z
    .array(
      z.object({
        label: z.string().max(100),
        step: stepNumber,
        ...grade.shape,
        /** Of a model of RPO: what it has over the photos alone, at that step of theirs, by pairs of pictures. Demos of before lack it. */
        lessAlone: grade.extend({ good: estimate, step: stepNumber }).optional(),
      }),
    )
    .max(100),
});

export type ExamFile = z.output<typeof examSchema>;

/** A row of the exam's table. */
export interface ExamRow extends z.output<typeof grade> {
  readonly label: string;
  readonly step: number;
}

/** Rows under those of the models: what each model of RPO has over the photos alone at their last step. */
export function differencesOf({ models }: ExamFile): ExamRow[] {
  return models.flatMap(({ label, step, lessAlone }) =>
    lessAlone === undefined ? [] : [{ ...lessAlone, label: `${label} less photos alone at ${lessAlone.step}`, step }],
  );
}

export function writeExam(run: string, exam: ExamFile): Promise<void> {
  return writeJson(join(run, EXAM_FILE), exam);
}

/** Undefined where there is none. @throws UsageError when it is damaged, or leads out of the folder */
export async function readExam(run: string): Promise<ExamFile | undefined> {
  const path = insideOf(run, EXAM_FILE);
  if (path === undefined) return undefined;
  return parseAs(examSchema, await readJson(path, UsageError), path, UsageError);
}
