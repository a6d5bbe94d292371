import { UsageError } from "../system/errors.ts";
import { saidBy } from "../system/said-by.ts";

/** What the tools' command lines have in common. */

/** @throws UsageError unless it is one of the names */
export function oneOf<const T extends string>(what: string, given: string | undefined, names: readonly T[]): T {
  const found = names.find((name) => name === given);
  if (found === undefined) throw new UsageError(`${what}: expected ${names.join(", ")}`);
  return found;
}

/** @throws UsageError unless it is a number of 1 or more */
export function countOf(flag: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`${flag} ${text}: expected a number of 1 or more`);
  return Number(text);
}

/** Does what is asked for; a request that is wrong is answered with the usage, and what cannot be done with a line, both with exit code 2. */
export async function runTool<R>(
  usage: string,
  parse: (args: readonly string[]) => R,
  work: (request: R) => Promise<void>,
): Promise<void> {
  let request: R;
  try {
    request = parse(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${saidBy(error)}\n${usage}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    await work(request);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${saidBy(error)}\n`);
    process.exitCode = 2;
  }
}
