import { join } from "node:path";
import { exists } from "../rpo/run-folder.ts";
import { TRAIN_DEFAULTS } from "../rpo/settings.ts";
import { ModelError } from "../tensor/errors.ts";
import { readJson } from "../tensor/files.ts";
import type { GivenSettings } from "./options.ts";

/** A model folder's own defaults. */
const DEFAULTS_FILE = "rpo.json";

/** Settings that are the user's and not the model's. */
const NEVER = ["model", "reward", "images", "class", "output", "prompts", "threads", "device"];

/**
 * What a model folder's rpo.json says about training: {"train": {"resolution": 128, "lr": {"lora": 1e-3, "full": 1e-4}}}, with the
 * settings' names, and rates for each kind of adapter.
 * @param adapter the kind that flags or the config file ask for
 * @throws ModelError when the file is not of this form
 */
export async function readModelDefaults(model: string, adapter: unknown): Promise<GivenSettings> {
  const path = join(model, DEFAULTS_FILE);
  if (!(await exists(path))) return {};
  const content = await readJson(path);
  const train = isObject(content) ? (content["train"] ?? {}) : undefined;
  if (!isObject(train)) throw new ModelError(`${path}: expected {"train": {...}} with defaults of rpo train`);
  const forbidden = NEVER.find((key) => key in train);
  if (forbidden !== undefined) throw new ModelError(`${path}: ${forbidden} has no default that a model could decide`);
  const { lr, ...defaults } = train;
  if (lr === undefined) return defaults;
  if (!isObject(lr)) throw new ModelError(`${path}: lr: expected {"lora": ..., "full": ...}`);
  const kind = adapter ?? defaults["adapter"] ?? TRAIN_DEFAULTS.adapter;
  const rate = typeof kind === "string" ? lr[kind] : undefined;
  return rate === undefined ? defaults : { ...defaults, lr: rate };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
