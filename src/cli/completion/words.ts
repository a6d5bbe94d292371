import type { Command } from "commander";
import { z } from "zod";
import { flagName } from "../../settings/flag-name.ts";
import { namesOf, type Setting, type SettingsTable } from "../../settings/setting.ts";

/** What may come next on the command line: what shells complete. All of it comes from the tables of settings. */

/** What a flag or an argument takes: one of some words, files, words of one's own, or nothing. */
export type Takes = readonly string[] | "files" | "words" | undefined;

export interface Flag {
  /** --lr, and -n where it has a letter. */
  readonly names: readonly string[];
  readonly about: string;
  readonly takes: Takes;
}

export interface CommandWords {
  /** "train", or "bench tinybench"; "" for the program. */
  readonly path: string;
  readonly about: string;
  readonly flags: readonly Flag[];
  readonly argument: Takes;
  /** Its commands' names. */
  readonly commands: readonly string[];
}

/** What a command was made of. */
export interface CommandTables {
  readonly table: SettingsTable;
  /** Such as "<run>". */
  readonly argument?: string | undefined;
}

const HELP: Flag = { names: ["--help", "-h"], about: "display help for command", takes: undefined };

/** Words that an argument may be, where it is no file. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  "[command]": ["train", "demo", "bench"],
  "<shell>": ["bash", "zsh", "fish"],
};

/** The program and all of its commands, from the outermost. @param tables of those that {@link Command} was given by addCommand */
export function wordsOf(program: Command, tables: ReadonlyMap<Command, CommandTables>, path = ""): CommandWords[] {
  const { table = {}, argument } = tables.get(program) ?? {};
  const flags = Object.keys(table).flatMap((key) => flagOf(table, key));
  const version: Flag[] =
    path === "" ? [{ names: ["--version", "-V"], about: "output the version number", takes: undefined }] : [];
  return [
    {
      path,
      about: program.description(),
      flags: [...flags, ...version, HELP],
      argument: argument === undefined ? undefined : (ARGUMENTS[argument] ?? "files"),
      commands: program.commands.map((command) => command.name()),
    },
    ...program.commands.flatMap((command) => wordsOf(command, tables, `${path} ${command.name()}`.trim())),
  ];
}

function flagOf(table: SettingsTable, key: string): Flag {
  const setting = table[key];
  const { takes, short, help } = setting;
  const [name] = namesOf(table, key);
  const long = flagName(takes === undefined && setting.default === true ? `no-${name}` : name);
  return { names: [long, ...(short === undefined ? [] : [short])], about: help, takes: valuesOf(setting) };
}

/** Of which people may have files in mind. */
const FILES = /^<(folder|file|path|model|picture|photo|run|where|what)(:\w+)?>$/;

function valuesOf({ takes, given }: Setting): Takes {
  if (takes === undefined) return undefined;
  if (given instanceof z.ZodEnum) return given.options.map(String);
  return FILES.test(takes) ? "files" : "words";
}
