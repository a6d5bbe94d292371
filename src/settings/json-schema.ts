import { z } from "zod";
import { hasStableDefault, namesOf, settingsWhere, type SettingsTable } from "./setting.ts";
import { TRAIN } from "./train.ts";

/** What editors know of a --config file. */

/** The commands that take one, and the settings that it may have. */
export const CONFIGURED = {
  train: TRAIN,
  demo: TRAIN,
  bench: settingsWhere(TRAIN, ({ inBench }) => inBench !== "decided"),
} as const satisfies Readonly<Record<string, SettingsTable>>;

/** The JSON Schema of a file of settings. Any of them may be left out, as flags have them too. */
export function jsonSchemaOf(table: SettingsTable): object {
  const properties = Object.entries(table).flatMap(([key, setting]) => {
    const { inFile = setting.help, inSchema: stored = setting.stored } = setting;
    const schema = hasStableDefault(setting) ? stored.default(setting.default) : stored.optional();
    const [first, ...others] = namesOf(table, key);
    return [
      [first, schema.meta({ description: inFile })] as const,
      ...others.map((name) => [name, stored.optional().meta({ description: `another name of ${first}` })] as const),
    ];
  });
  return z.toJSONSchema(z.strictObject({ $schema: z.string().optional(), ...Object.fromEntries(properties) }), {
    io: "input",
  });
}
