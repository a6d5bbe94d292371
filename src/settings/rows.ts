import { belongsTo, valuesOf, type Setting, type SettingsTable, type Values } from "./setting.ts";

/** What reports say of a run's settings. */

export type ReportRow = readonly [label: string, value: string | number];

/** The rows of the settings that a run has, by their groups; settings of other methods than the run's own are left out. */
export function rowsOf(table: SettingsTable, settings: { readonly method: string }): Map<string, readonly ReportRow[]> {
  const values = valuesOf(settings);
  const groups = new Map<string, readonly ReportRow[]>();
  for (const [key, setting] of Object.entries(table)) {
    const { group = "" } = setting;
    const row = belongsTo(settings.method, setting) ? rowOf(key, setting, values) : undefined;
    if (row !== undefined) groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return groups;
}

function rowOf(key: string, { row = {} }: Setting, all: Values): ReportRow | undefined {
  if (row === false) return undefined;
  const { label = inWords(key), text, when = () => text !== undefined || key in all } = row;
  if (!when(all)) return undefined;
  const value = text === undefined ? all[key] : text(all);
  return [label, typeof value === "boolean" ? (value ? "yes" : "no") : value];
}

/** noiseOffset -> noise offset */
function inWords(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
