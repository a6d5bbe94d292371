import { z } from "zod";
import * as METHODS from "../../methods/index.ts";
import { TRAIN } from "../../settings/train.ts";
import type { Setting, SettingsTable } from "../../settings/setting.ts";
import type { FormField, FormGroup } from "../api.ts";

/** The settings of `rpo train` as a form: from the table that flags and help are made of, so that a new setting is in it. */

/** What the page asks for by itself, and what takes the place of that: several subjects. */
const ASKED = new Set(["images", "output", "class", "concepts"]);
/** The few that matter first, in this order; the others are folded under their headings. */
const FIRST = ["model", "method", "adapter", "steps", "lambda", "device"];

/** What not every method has, under one heading. */
const OF_METHOD = "The method";

export function trainingForm(): readonly FormGroup[] {
  const table: SettingsTable = TRAIN;
  const fields = Object.entries(table).filter(([key]) => !ASKED.has(key));
  const first = FIRST.flatMap((key) => (key in table ? [fieldOf(key, table[key])] : []));
  const groups = new Map<string, FormField[]>();
  for (const [key, setting] of fields) {
    if (FIRST.includes(key)) continue;
    const title = setting.methods === undefined ? (setting.group ?? "Others") : OF_METHOD;
    groups.set(title, [...(groups.get(title) ?? []), fieldOf(key, setting)]);
  }
  return [{ title: "First", fields: first }, ...[...groups].map(([title, list]) => ({ title, fields: list }))];
}

function fieldOf(key: string, setting: Setting): FormField {
  const { name = key, help, inFile, methods, default: value, defaultText } = setting;
  const usual = defaultText ?? (value === undefined ? undefined : JSON.stringify(value).replaceAll('"', ""));
  return {
    key,
    name,
    help: setting.takes === undefined ? (inFile ?? help) : help,
    ...(usual !== undefined && usual !== "" && { usual }),
    ...(methods !== undefined && { methods }),
    ...choicesOf(key, setting),
  };
}

function choicesOf(key: string, { given }: Setting): Pick<FormField, "choices" | "isSwitch"> {
  if (key === "method") return { choices: Object.entries(METHODS).map(([name, { about }]) => ({ name, about })) };
  if (given instanceof z.ZodEnum) return { choices: given.options.map((name) => ({ name: String(name) })) };
  return given instanceof z.ZodBoolean ? { isSwitch: true } : {};
}
