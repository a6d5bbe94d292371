import type { z } from "zod";
import { ModelError } from "./errors.ts";
import type { Failure } from "./files.ts";

/** Whether a JSON value is an object, neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A JSON value in the form that `schema` says.
 *
 * @param where the file and the place in it, for the message
 * @param Failure The error to throw: {@link ModelError} for a model's files, UsageError for the caller's own.
 * @throws Failure naming the first entry that does not fit, and what was expected
 */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown, where: string, Failure: Failure = ModelError): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
  throw new Failure(`${where}: ${key}${issue.message.replace(/^Invalid input: /, "")}`);
}
