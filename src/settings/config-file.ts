import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { reasonOf } from "../system/files.ts";
import { isRecord } from "../system/json.ts";
import { ownJson } from "../system/own-json.ts";
import { readText } from "../system/regular-files.ts";
import type { GivenSettings } from "./parse.ts";

/** What a file may say besides settings: its schema, and what a run's config.json was made with. */
const NO_SETTINGS = ["$schema", "version", "versions", "hashes", "grownFrom", "watches"];

/** The settings of a JSON file. @throws UsageError when it is no JSON object */
export async function readConfigFile(path: string): Promise<GivenSettings> {
  const content = await readText(path).catch((error: unknown) => {
    throw new UsageError(say`${setting("config", path)}: ${reasonOf(error)}`);
  });
  const value = ownJson(content, say`${setting("config", path)}`);
  if (!isRecord(value)) throw new UsageError(say`${setting("config", path)}: expected a JSON object of settings`);
  return Object.fromEntries(Object.entries(value).filter(([key]) => !NO_SETTINGS.includes(key)));
}
