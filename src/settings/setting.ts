import { z } from "zod";
import { subjectNames, type Concept } from "./subjects.ts";

/**
 * One setting of a command: everything about it that any part of the program wants to know. Its values are of a kind of `kinds.ts`; what
 * else it has stands here.
 */
export interface Setting {
  readonly given: z.ZodType;
  readonly stored: z.ZodType;
  /** What it is, for help, where the default follows in brackets; of a switch that is on, what its --no-NAME does. */
  readonly help: string;
  /** What it is where a file has it, if help says something else. */
  readonly inFile?: string;
  /** What its flag takes, such as "<n>"; absent for a switch, whose flag is --no-NAME where the default is true. */
  readonly takes?: string;
  /** Of its flag, such as "-n". */
  readonly short?: string;
  /** Whether its flag may be given several times, each for one value of the list. */
  readonly isRepeated?: boolean;
  /** Whether two values would both be meant, though one is taken: its flag may not be given twice with another. Of other flags the last counts. */
  readonly isSingle?: boolean;
  /** What a config file may have of it, where the program reads that into what {@link given} is. Default: as stored. */
  readonly inSchema?: z.ZodType;
  /** Its name for people, where that is another than its key; flags and files take both. */
  readonly name?: string;
  /** Its heading in help, and in a report. */
  readonly group?: string;
  readonly default?: unknown;
  /** What help says of the default, where it depends; "" for nothing. */
  readonly defaultText?: string;
  /**
   * Of a setting without a default, what becomes of one that is not given: it is "refused", "found" by the command before the work begins,
   * decided by the "model" once that is opened, or there is "none", and need be none.
   */
  readonly absent?: "refused" | "found" | "model" | "none";
  /** Whether a run's folder has to say it: its default is another on every machine, or in every version. */
  readonly isRecorded?: boolean;
  /** Whether it is the user's alone, as photos, places and the machine are, and no model's rpo.json may set it. */
  readonly isUsers?: boolean;
  /** Whether it says where something is, which may have moved since. */
  readonly isPlace?: boolean;
  /** In a benchmark: decided by it, or a flag of its own; else its --config may set it. */
  readonly inBench?: "decided" | "flag";
  /** Its row in a report; false where another setting's row says it. By default its name in words, and its value if it has one. */
  readonly row?: false | Row;
  /** The methods that it belongs to; absent: all of them. Said by the table that all methods' settings are in. */
  readonly methods?: readonly string[];
  /** Whether it is shown among those of all methods, though a few have no use for it. */
  readonly isShared?: boolean;
}

/** A run's settings that have a value. */
export type Values = Readonly<Record<string, string | number | boolean>>;

/** Those of a run's settings that have one; of several subjects their names. */
export function valuesOf(settings: object & { readonly concepts?: readonly Concept[] | undefined }): Values {
  const { concepts, ...rest } = settings;
  const named: object = { ...rest, concepts: concepts && subjectNames(concepts) };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

/** What a report says of a setting. */
export interface Row {
  readonly label?: string;
  readonly text?: (all: Values) => string | number | boolean;
  /** By default where there is a value, or a text. */
  readonly when?: (all: Values) => boolean;
}

/** The settings of a command, by their keys: the names they have in the program and in what it writes. */
export type SettingsTable = Readonly<Record<string, Setting>>;

export type Value<S> = S extends { readonly stored: z.ZodType<infer T> } ? T : never;

/** What the settings may be called: their names and their keys. */
export type NameOf<T> = {
  [K in keyof T]: T[K] extends { readonly name: infer N } ? K | N : K;
}[keyof T];

type Absent<S> = S extends { readonly absent: infer A } ? A : never;

/** Every setting with its value; those may be missing that need not be there, or that are absent for a reason in `A`. */
export type ValuesOf<T, A = "none"> = {
  readonly [K in keyof T as Absent<T[K]> extends never ? K : Absent<T[K]> extends A ? never : K]: Value<T[K]>;
} & {
  readonly [K in keyof T as Absent<T[K]> extends never ? never : Absent<T[K]> extends A ? K : never]?:
    Value<T[K]> | undefined;
};

type HasDefault<S> = S extends { readonly default: unknown } ? true : false;
type IsRecorded<S> = S extends { readonly isRecorded: true } ? true : false;

/** The defaults that are the same everywhere. */
export type DefaultsOf<T> = {
  readonly [K in keyof T as HasDefault<T[K]> extends true ? (IsRecorded<T[K]> extends true ? never : K) : never]: Value<
    T[K]
  >;
};

export function defaultsOf<T extends SettingsTable>(table: T): DefaultsOf<T> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, each]) => (hasStableDefault(each) ? [[key, each.default]] : [])),
  ) as DefaultsOf<T>;
}

/** Whether its default is the same everywhere. */
export function hasStableDefault(setting: Setting): boolean {
  return setting.default !== undefined && setting.isRecorded !== true;
}

type GivenShape<T extends SettingsTable> = {
  [K in keyof T]: HasDefault<T[K]> extends true
    ? z.ZodDefault<T[K]["given"]>
    : Absent<T[K]> extends "refused"
      ? T[K]["given"]
      : z.ZodOptional<T[K]["given"]>;
};

/** What people give of each setting, with the defaults of those that have one. */
export function givenShape<T extends SettingsTable>(table: T): GivenShape<T> {
  return mapValues(table, (each) => {
    if (each.default !== undefined) return each.given.default(each.default);
    return each.absent === "refused" ? each.given : each.given.optional();
  }) as GivenShape<T>;
}

type StoredShape<T extends SettingsTable> = {
  [K in keyof T]: Absent<T[K]> extends "none"
    ? [Absent<T[K]>] extends [never]
      ? IsRecorded<T[K]> extends true
        ? T[K]["stored"]
        : z.ZodDefault<T[K]["stored"]>
      : z.ZodOptional<T[K]["stored"]>
    : T[K]["stored"];
};

/** The settings in a file that the program wrote, perhaps before some of them were there: one that is not there reads as its default. */
export function storedShape<T extends SettingsTable>(table: T): StoredShape<T> {
  return mapValues(table, (each) => {
    if (each.absent === "none") return each.stored.optional();
    return hasStableDefault(each) ? each.stored.default(each.default) : each.stored;
  }) as StoredShape<T>;
}

/** Some of a table's settings. */
export function pick<T extends SettingsTable, K extends keyof T>(table: T, ...keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, table[key]])) as Pick<T, K>;
}

/** The settings that something is true of. */
export function settingsWhere(table: SettingsTable, holds: (setting: Setting) => boolean): SettingsTable {
  return Object.fromEntries(Object.entries(table).filter(([, each]) => holds(each)));
}

/** The name of a setting for people, and then its key where that is another: flags and files take either. */
export function namesOf(table: SettingsTable, key: string): readonly string[] {
  const { name = key } = table[key];
  return name === key ? [key] : [name, key];
}

/** The key of the setting that a name stands for; what no setting is called is returned as it is. */
export function keyOf(table: SettingsTable, name: string): string {
  if (Object.hasOwn(table, name)) return name;
  return Object.keys(table).find((key) => table[key].name === name) ?? name;
}

/** What was given of a table's settings. */
export function pickGiven(table: SettingsTable, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => keyOf(table, name) in table));
}

/** A run's settings without those of other methods than its own. */
export function withoutOthers<T extends { readonly method: string }>(table: SettingsTable, settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => belongsTo(settings.method, table[key]))) as T;
}

/** Whether a method has a setting. */
export function belongsTo(method: unknown, setting: Setting | undefined): boolean {
  return setting?.methods?.some((each) => each === method) ?? true;
}

function mapValues<A, B>(table: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, of(value)]));
}
