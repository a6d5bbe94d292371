import { z } from "zod";
import { amount, wholeFrom } from "../system/numbers.ts";
import { oneLine } from "../system/printable.ts";
import { jobStates } from "./queue.ts";

/**
 * Jobs as a Redis or a file has them. Others write there: everything is checked and bounded here, and texts are made fit to be printed.
 */

const MOST = { label: 400, phase: 100, machine: 300, error: 1000 } as const;

/** A text of others. What is longer than ours ever are is refused. */
const text = (most: number) =>
  z
    .string()
    .max(most, `expected at most ${most} characters`)
    .transform((value) => oneLine(value, most));
/** A text of others that may be long, and is cut. */
const longText = (most: number) => z.string().transform((value) => oneLine(value, most));

export const jobId = z.string().regex(/^[\w.-]{1,200}$/, "expected letters, digits, dots and dashes, 200 at most");

const progress = z.object({ phase: text(MOST.phase), done: amount, total: amount });

export const jobStatusSchema = z.object({
  id: jobId,
  label: text(MOST.label),
  state: z.enum(jobStates),
  failures: wholeFrom(0, 1e9),
  progress: progress.optional(),
  machine: text(MOST.machine).optional(),
  error: longText(MOST.error).optional(),
});

/** What a job carries in Redis. */
export const envelopeSchema = z.object({ label: text(MOST.label), data: z.unknown() });
export type Envelope = z.output<typeof envelopeSchema>;

/** Why a job failed, as a Redis says it. */
export function failureReason(reason: unknown): string {
  return typeof reason === "string" ? oneLine(reason, MOST.error) : "no reason is given";
}
