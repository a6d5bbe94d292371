import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { flagName } from "../settings/flag-name.ts";
import { namesOf, type Setting, type SettingsTable } from "../settings/setting.ts";

/** Words that no flag and no argument of a command takes. Most are a shell's, which puts all files that match in the place of `photos/*.jpg`. */

/** What is wrong with a command's words, and what to write instead; undefined where it takes all of them. */
export function surplusMessage(
  command: Pick<Command, "args" | "registeredArguments" | "name"> & { readonly parent: Command | null },
  table: SettingsTable,
): string | undefined {
  const { args, registeredArguments } = command;
  if (registeredArguments.some(({ variadic }) => variadic)) return undefined;
  const surplus = args.slice(registeredArguments.length);
  if (surplus.length === 0) return undefined;
  const [first, ...others] = surplus;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `too many arguments: ${first}${more}${advice(wordsOf(command), surplus, table)}`;
}

function wordsOf({ parent }: { readonly parent: Command | null }): readonly string[] {
  let root = parent;
  while (root !== null && root.parent !== null) root = root.parent;
  // commander keeps what it was given on the outermost command
  return (root as { readonly rawArgs?: readonly string[] } | null)?.rawArgs ?? [];
}

/** What to write instead, where the words are files behind the value of a flag, or behind an argument. */
export function advice(
  words: readonly string[],
  surplus: readonly string[],
  table: SettingsTable,
  isThere: (path: string) => boolean = existsSync,
): string {
  if (!surplus.every(isThere)) return "";
  const at = words.indexOf(surplus[0]);
  const [flag, value] = [words.at(at - 2), words.at(at - 1)];
  const found = at < 2 ? undefined : settingOf(flag, table);
  if (flag === undefined || value === undefined || found === undefined)
    return "; one at a time (does a * stand for several?)";
  if (found.isRepeated === true) return `; give each its own ${flag}: ${flag} ${value} ${flag} ${surplus[0]} ...`;
  const isFolder = /folder|path/.test(found.takes ?? "");
  return isFolder
    ? `; ${flag} takes the folder and not what is in it: ${flag} ${dirname(value)}`
    : `; ${flag} takes one: ${flag} ${value}`;
}

function settingOf(flag: string | undefined, table: SettingsTable): Setting | undefined {
  const key = Object.keys(table).find((each) =>
    namesOf(table, each).some((name) => flagName(name) === flag || table[each].short === flag),
  );
  return key === undefined ? undefined : table[key];
}
