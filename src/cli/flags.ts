import { Option, type Command } from "commander";
import { flagName } from "../settings/flag-name.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { namesOf, type Setting, type SettingsTable } from "../settings/setting.ts";
import { UsageError } from "../system/errors.ts";
import type { CommandTables } from "./completion/words.ts";
import { surplusMessage } from "./surplus.ts";

/** Commands whose flags are settings. */

export interface CommandAbout<C extends SettingsTable> {
  readonly name: string;
  readonly about: string;
  /** What comes before the flags, such as "<run>"; "[file...]" for any number. */
  readonly argument?: { readonly name: string; readonly about: string };
  /** What is done. */
  readonly settings: SettingsTable;
  /** How the command goes about it. */
  readonly control: C;
  /** Below the flags in its help. */
  readonly examples?: string;
  /** @returns the exit code */
  readonly run: (given: {
    readonly settings: GivenSettings;
    readonly control: ReturnType<typeof parseTable<C>>;
    /** Empty where there is none. */
    readonly argument: string;
    /** All of them. */
    readonly words: readonly string[];
  }) => Promise<number>;
}

/** What each command was made of, for shells to complete. */
export const COMMANDS = new Map<Command, CommandTables>();

export function addCommand<C extends SettingsTable>(
  parent: Command,
  { name, about, argument, settings, control, examples, run }: CommandAbout<C>,
): void {
  const command = parent.command(name).description(about);
  COMMANDS.set(command, { table: { ...settings, ...control }, argument: argument?.name });
  if (argument !== undefined) command.argument(argument.name, argument.about);
  for (const table of [settings, control])
    for (const key of Object.keys(table)) for (const flag of flagsOf(table, key)) command.addOption(flag);
  if (examples !== undefined) command.addHelpText("after", `\n${examples}`);
  command.allowExcessArguments().action(async () => {
    const surplus = surplusMessage(command, { ...settings, ...control });
    if (surplus !== undefined) command.error(surplus);
    process.exitCode = await run({
      settings: givenBy(command, settings),
      control: parseTable(control, givenBy(command, control)),
      argument: command.args.at(0) ?? "",
      words: command.args,
    });
  });
}

/** A setting's flag, and a hidden one of its key where it has a name besides. */
function flagsOf(table: SettingsTable, key: string): Option[] {
  const setting = table[key];
  const { takes, short, isRepeated = false, isSingle = false, group, methods, isShared = false } = setting;
  const heading = methods === undefined || isShared ? group : `Method ${methods.join(", ")}`;
  return namesOf(table, key).map((name, i) => {
    const long = flagName(takes === undefined && setting.default === true ? `no-${name}` : name);
    const words = [short === undefined || i > 0 ? long : `${short}, ${long}`, ...(takes === undefined ? [] : [takes])];
    const option = new Option(words.join(" "), helpOf(setting)).hideHelp(i > 0);
    if (heading !== undefined) option.helpGroup(`${heading}:`);
    if (isRepeated) option.argParser((value, before: readonly string[] | undefined) => [...(before ?? []), value]);
    if (isSingle) option.argParser((value, before: string | undefined) => onlyOne(long, value, before));
    return option;
  });
}

/** @throws UsageError for a flag's second value */
function onlyOne(flag: string, value: string, before: string | undefined): string {
  if (before === undefined || before === value) return value;
  throw new UsageError(`${flag} is given twice, ${JSON.stringify(before)} and ${JSON.stringify(value)}; it takes one`);
}

/** "at most so many (default 400)" */
function helpOf({ help, takes, default: value, defaultText }: Setting): string {
  const usual =
    defaultText === undefined
      ? takes === undefined || value === undefined
        ? ""
        : `default ${shown(value)}`
      : defaultText === ""
        ? ""
        : `default: ${defaultText}`;
  return usual === "" ? help : `${help} (${usual})`;
}

function shown(value: unknown): string {
  const text = String(value);
  return /^[\w.+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** What was given of a table's settings, without commander's own defaults. */
function givenBy(command: Command, table: SettingsTable): GivenSettings {
  const names = Object.keys(table).flatMap((key) => namesOf(table, key));
  return Object.fromEntries(
    names
      .filter((name) => command.getOptionValueSource(name) === "cli")
      .map((name) => [name, command.getOptionValue(name) as unknown]),
  );
}
