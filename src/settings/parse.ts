import { z } from "zod";
import { UsageError, type Message, type NamedSetting } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { givenShape, keyOf, namesOf, type SettingsTable } from "./setting.ts";

/** Settings as they were given, by their names or keys. */
export type GivenSettings = Readonly<Record<string, unknown>>;

/** Where settings come from. */
export interface Source {
  readonly given: GivenSettings;
  /** What to call one in a message. */
  readonly nameOf: (name: string) => Message | NamedSetting;
}

/** Settings by their keys, and what to call them: by what they were given as. */
interface Gathered {
  readonly values: GivenSettings;
  readonly names: Readonly<Record<string, Message | NamedSetting>>;
}

/** Settings from several sources, each of which wins over the next. @throws UsageError where a source has one under two names */
export function gather(table: SettingsTable, sources: readonly Source[]): Gathered {
  const values: Record<string, unknown> = {};
  const names: Record<string, Message | NamedSetting> = {};
  for (const { given, nameOf } of sources.toReversed())
    for (const name of Object.keys(given)) {
      const key = keyOf(table, name);
      const other = key in table ? namesOf(table, key).find((each) => each !== name && each in given) : undefined;
      if (other !== undefined)
        throw new UsageError(say`${nameOf(name)} and ${nameOf(other)} are one setting; give one of them`);
      values[key] = given[name];
      names[key] = nameOf(name);
    }
  return { values, names };
}

/** A command's settings, checked, with their defaults. @throws UsageError naming the first that is wrong */
export function parseTable<T extends SettingsTable>(table: T, given: GivenSettings) {
  return parseSources(table, [{ given, nameOf: setting }]);
}

/**
 * Settings from several sources, each of which wins over the next, checked, with their defaults.
 * @throws UsageError naming the first that is wrong
 */
export function parseSources<T extends SettingsTable>(table: T, sources: readonly Source[]) {
  return check(z.strictObject(givenShape(table)), gather(table, sources), table);
}

/** What a program gives, checked. @throws UsageError naming the first that is wrong */
export function parseSettings<S extends z.ZodObject>(schema: S, given: GivenSettings): z.output<S> {
  return check(schema, { values: given, names: {} }, {});
}

function check<S extends z.ZodObject>(schema: S, { values, names }: Gathered, table: SettingsTable): z.output<S> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const nameOf = (key: string) => names[key] ?? setting(key);
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    throw new UsageError(say`${nameOf(key)}: no such setting${suggestion(key, schema, table)}`);
  }
  const key = String(issue.path[0]);
  if (!(key in values)) throw new UsageError(say`${setting(table[key]?.name ?? key)} is missing`);
  const message = issue.code === "invalid_union" ? "expected a number" : issue.message;
  const value = issue.path.slice(1).reduce<unknown>((inner, at) => (inner as GivenSettings)[String(at)], values[key]);
  throw new UsageError(say`${nameOf(key)} ${JSON.stringify(value)}: ${message}`);
}

function suggestion(key: string, { shape }: z.ZodObject, table: SettingsTable): string {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z]/g, "");
  const near = Object.keys(shape).find((each) =>
    (each in table ? namesOf(table, each) : [each]).some(
      (name) => plain(name) === plain(key) || plain(name).startsWith(plain(key).slice(0, 4)),
    ),
  );
  return near === undefined ? "" : `; did you mean ${table[near]?.name ?? near}?`;
}
