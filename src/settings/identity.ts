import { isDeepStrictEqual } from "node:util";
import type { SettingsTable } from "./setting.ts";

/** The settings of a training in version 0.1.0. */
const FIRST = [
  ...["model", "variant", "reward", "images", "holdOut", "class", "token", "output", "adapter", "rank", "loraAlpha"],
  ...["targets", "learningRate", "steps", "resolution", "crop", "beta", "condition", "labels", "rewardScale"],
  ...["negatives", "lambda", "validateEvery", "validationImages", "validationSteps", "sampler", "guidance"],
  ...["patience", "preference", "earlyStopping", "prompts", "memory", "threads", "seed", "device"],
];

/**
 * What equal work is known by. Settings that were not there from the first count only where they differ from their default, so that what
 * was done before they came is known to be done.
 */
export function identityOf<T extends object>(table: SettingsTable, settings: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(settings).filter(
      ([key, value]) => FIRST.includes(key) || !isDeepStrictEqual(value, valueBefore(table, key)),
    ),
  ) as Partial<T>;
}

/** What a setting was before it was there: what a file without it reads as. */
function valueBefore(table: SettingsTable, key: string): unknown {
  if (!(key in table)) return undefined;
  const { default: usual, stored } = table[key];
  return usual ?? stored.safeParse(undefined).data;
}
