import type { Command } from "commander";
import { oneOf } from "../../settings/kinds.ts";
import { UsageError } from "../../system/errors.ts";
import { EXIT } from "../failure.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { wordsOf, type CommandTables, type CommandWords } from "./words.ts";
import { zshCompletion } from "./zsh.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const satisfies Readonly<
  Record<string, (all: readonly CommandWords[]) => string>
>;
const shell = oneOf(Object.keys(SHELLS) as [keyof typeof SHELLS, ...(keyof typeof SHELLS)[]]);

/** `rpo completion`. @returns the exit code */
export function completionCommand(
  given: string,
  program: Command,
  tables: ReadonlyMap<Command, CommandTables>,
): number {
  const parsed = shell.given.safeParse(given);
  if (!parsed.success) throw new UsageError(`rpo completion ${given}: ${parsed.error.issues[0].message}`);
  process.stdout.write(SHELLS[parsed.data](wordsOf(program, tables)));
  return EXIT.done;
}
