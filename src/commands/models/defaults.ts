import { dirname, join, resolve } from "node:path";
import { DEFAULTS_FILE } from "../../checkpoints/model-index.ts";
import * as METHODS from "../../methods/index.ts";
import type { MethodEntry } from "../../settings/method-entry.ts";
import { isLive } from "../../training/live-words.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import { keyOf, settingsWhere } from "../../settings/setting.ts";
import { TRAIN } from "../../settings/train.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { ModelError } from "../../system/errors.ts";
import { exists, readJson } from "../../system/files.ts";
import { staysInside } from "../../system/inside.ts";
import { isRecord } from "../../system/json.ts";

/** Settings that are the user's and not the model's. */
const NEVER = settingsWhere(TRAIN, ({ isUsers }) => isUsers === true);

/**
 * What a model folder's rpo.json says about training: {"train": {"resolution": 128, "lr": {"lora": 1e-3, "full": 1e-4}}, "prompts": {"live":
 * "live.json", "object": "object.json"}}: settings by their names, rates for each kind of adapter, and files of prompts for live subjects
 * and for objects, for a model that does not know the words of the authors' prompts.
 * @param wanted the kind of adapter, the class word and the kind of subject that flags or the config file ask for
 * @throws ModelError when the file is not of this form
 */
export async function readModelDefaults(
  model: string,
  wanted: {
    readonly adapter?: unknown;
    readonly method?: unknown;
    readonly class?: unknown;
    readonly subject?: unknown;
    /** Several, each with a class and a kind of its own. */
    readonly concepts?: unknown;
  },
): Promise<GivenSettings> {
  const path = join(model, DEFAULTS_FILE);
  if (!(await exists(path))) return {};
  const content = await readJson(path);
  if (!isRecord(content)) throw new ModelError(`${path}: expected {"train": {...}, "prompts": {...}}`);
  const { train = {}, prompts = {} } = content;
  if (!isRecord(train)) throw new ModelError(`${path}: expected {"train": {...}} with defaults of rpo train`);
  const forbidden = Object.keys(train).find((name) => keyOf(TRAIN, name) in NEVER);
  if (forbidden !== undefined) throw new ModelError(`${path}: ${forbidden} has no default that a model could decide`);
  const { lr, ...defaults } = train;
  return {
    ...defaults,
    ...rateOf(
      path,
      lr,
      trainsItself(wanted.method) ? wanted.method : (wanted.adapter ?? defaults["adapter"] ?? TRAIN_DEFAULTS.adapter),
    ),
    ...promptsOf(path, prompts, wanted),
  };
}

/** Whether a method trains something else than an adapter. */
function trainsItself(method: unknown): boolean {
  const entries: Readonly<Record<string, MethodEntry>> = METHODS;
  return typeof method === "string" && Object.hasOwn(entries, method) && entries[method].trains !== undefined;
}

function rateOf(path: string, rates: unknown, adapter: unknown): GivenSettings {
  if (rates === undefined) return {};
  if (!isRecord(rates)) throw new ModelError(`${path}: lr: expected {"lora": ..., "full": ...}`);
  const rate = typeof adapter === "string" ? rates[adapter] : undefined;
  return rate === undefined ? {} : { lr: rate };
}

function promptsOf(path: string, files: unknown, wanted: Readonly<Record<string, unknown>>): GivenSettings {
  if (!isRecord(files)) throw new ModelError(`${path}: prompts: expected {"live": "FILE", "object": "FILE"}`);
  const { concepts = [wanted] } = wanted;
  const kinds = new Set(Array.isArray(concepts) ? concepts.filter(isRecord).map(kindOf) : []);
  const [kind] = kinds;
  // subjects of both kinds get the program's own, which each has of its kind
  if (kind === undefined || kinds.size > 1) return {};
  const file = files[kind];
  if (file === undefined) return {};
  if (typeof file !== "string" || !staysInside(file))
    throw new ModelError(`${path}: prompts: expected the name of a file in this folder`);
  return { prompts: resolve(dirname(path), file) };
}

/** Which prompts a subject gets; undefined where nothing says what it is. */
function kindOf({ class: className, subject }: Readonly<Record<string, unknown>>): "live" | "object" | undefined {
  if (typeof className !== "string") return undefined;
  if (subject === "live" || subject === "object") return subject;
  return isLive(className) ? "live" : "object";
}
