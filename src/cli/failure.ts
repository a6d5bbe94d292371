import { DownloadStopped } from "../hub/errors.ts";
import { inFlags } from "../settings/flag-name.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";

/** Exit codes of every command: `usage` for all that is wrong with what was given, flags and files alike, and seen before long work. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const MOST_LINES = 6;

/** Prints an error in a few lines, settings by their flags, without a stack trace unless RPO_DEBUG is set. @returns the exit code */
export function reportFailure(error: unknown): number {
  const known = error instanceof UsageError || error instanceof ModelError;
  const lines = inFlags(error)
    .split("\n")
    .slice(0, MOST_LINES - 1);
  process.stderr.write(`rpo: ${lines.map(printable).join("\n")}\n`);
  if (!known && process.env["RPO_DEBUG"] !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  if (error instanceof DownloadStopped) return EXIT.interrupted;
  return known ? EXIT.usage : EXIT.failed;
}
