import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ModelError, UsageError } from "../system/errors.ts";
import { oneLine } from "../system/printable.ts";
import type { Problem } from "./api.ts";

/** What cannot be done, with the status that says so. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: ContentfulStatusCode;
  constructor(status: ContentfulStatusCode, message: string) {
    super(message);
    this.status = status;
  }
}

/** Every error as one line of JSON; what is no mistake of the asker's is 500. */
export function answerError(error: Error, c: Context): Response {
  const status = error instanceof Refusal ? error.status : isMistake(error) ? 422 : 500;
  return c.json({ error: oneLine(error.message, 600) } satisfies Problem, status);
}

function isMistake(error: Error): boolean {
  return error instanceof UsageError || error instanceof ModelError;
}
