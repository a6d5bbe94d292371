import { join } from "node:path";
import { EMBEDDED_MODEL, embeddedFolder, embeddedPart } from "../../checkpoints/embedded.ts";
import { readConfig } from "../../checkpoints/weights.ts";
import { repoOfSnapshot } from "../../hub/cache.ts";
import { NotOnHub } from "../../hub/errors.ts";
import type { WantedModel } from "../../hub/fetch-models.ts";
import { SHORT_NAMES } from "../../hub/names.ts";
import { parseAlignConfig } from "../../models/align/config.ts";
import { parseClipConfig } from "../../models/clip/config.ts";
import { parseDinoConfig } from "../../models/dino/config.ts";
import { parseUnetConfig } from "../../models/unet/config.ts";
import { parseVaeConfig } from "../../models/vae/config.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { exists } from "../../system/files.ts";
import type { Interaction } from "../interaction.ts";
import { checkModel, defaultReward, hubNameOf, MODEL_SETTINGS, modelFolder, type ModelSetting } from "./names.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import type { TrainingModel } from "../../settings/train-settings.ts";
import { isFile } from "../paths.ts";

/** A model that a setting names. */
export interface ModelRequest {
  readonly setting: ModelSetting;
  /** A folder, "tiny", or a name on the hub. */
  readonly name: string;
  readonly variant?: string | undefined;
}

/** The folders of models; those on the hub are fetched, once the others have been found. @throws UsageError naming the setting */
export async function findModels<K extends string>(
  requests: Readonly<Partial<Record<K, ModelRequest>>>,
  interaction: Interaction,
): Promise<Partial<Record<K, string>>> {
  const folders: Partial<Record<K, string>> = {};
  const wanted: (WantedModel & { readonly key: K })[] = [];
  for (const [key, request] of Object.entries(requests) as [K, ModelRequest | undefined][]) {
    if (request === undefined) continue;
    const { setting: given, name, variant } = request;
    const onHub = await hubNameOf(given, name);
    if (onHub === undefined) {
      folders[key] = modelFolder(given, name);
      await checkModel(given, folders[key]);
      if (variant !== undefined && (await isFile(folders[key])))
        throw new UsageError(
          say`${setting("variant", variant)}: ${name} is one file and has no variants; leave it out`,
        );
      continue;
    }
    wanted.push({
      key,
      name: onHub,
      kind: MODEL_SETTINGS[given].kind,
      variant,
      check: (folder) => checkConfiguration(given, folder),
      explain: (error) => explain(error, given, name),
    });
  }
  if (wanted.length > 0) {
    const fetched = await interaction.fetch(wanted);
    for (const [i, { key }] of wanted.entries()) folders[key] = fetched[i];
  }
  return folders;
}

/** Whether one of the models is on the hub. */
export async function areOnHub(requests: readonly (ModelRequest | undefined)[]): Promise<boolean> {
  for (const request of requests)
    if (request !== undefined && (await hubNameOf(request.setting, request.name)) !== undefined) return true;
  return false;
}

/** The models of a training, whose settings have their names. */
export function trainingModels(given: GivenSettings): Partial<Record<TrainingModel, ModelRequest>> {
  const {
    model = EMBEDDED_MODEL,
    reward = typeof model === "string" ? defaultReward(model) : undefined,
    variant,
    vae,
    imageEncoder,
  } = given;
  return {
    ...(typeof model === "string" && {
      model: {
        setting: "model",
        name: model,
        variant: typeof variant === "string" ? variant : undefined,
      },
    }),
    ...(typeof reward === "string" && { reward: { setting: "reward", name: reward } }),
    ...(typeof vae === "string" && { vae: { setting: "vae", name: vae } }),
    ...(typeof imageEncoder === "string" && { imageEncoder: { setting: "imageEncoder", name: imageEncoder } }),
  };
}

/**
 * A folder that a run names, fetched again if it was in the hub's cache and is no longer; an embedded model is this copy's own.
 * @returns where it is now
 */
export async function restoreModel(
  name: TrainingModel,
  folder: string,
  interaction: Interaction,
  variant?: string,
): Promise<string> {
  if (await exists(join(folder, MODEL_SETTINGS[name].file))) return folder;
  const embedded = embeddedPart(folder);
  if (embedded !== undefined) return embeddedFolder(embedded);
  const snapshot = repoOfSnapshot(folder);
  if (snapshot === undefined) return folder;
  const request = { setting: name, name: `${snapshot.repo}@${snapshot.commit}`, variant };
  const { model = folder } = await findModels({ model: request }, interaction);
  return model;
}

async function checkConfiguration(name: ModelSetting, folder: string): Promise<void> {
  const at = (part: string) => join(folder, part, "config.json");
  switch (name) {
    case "model":
      parseUnetConfig(await readConfig(join(folder, "unet")), at("unet"));
      parseVaeConfig(await readConfig(join(folder, "vae")), at("vae"));
      break;
    case "vae":
      parseVaeConfig(await readConfig(folder), at(""));
      break;
    case "reward":
    case "align":
      parseAlignConfig(await readConfig(folder), at(""));
      break;
    case "clip":
    case "imageEncoder":
      parseClipConfig(await readConfig(folder), at(""));
      break;
    case "dino":
      parseDinoConfig(await readConfig(folder), at(""));
      break;
  }
}

/** An error with the setting's name. What looks like a path may have been meant as one. */
function explain(error: UsageError, given: ModelSetting, name: string): UsageError {
  const ambiguous = error instanceof NotOnHub && !Object.hasOwn(SHORT_NAMES, name.split("@")[0]);
  return new UsageError(
    say`${setting(given, name)}: ${ambiguous ? "no such folder, and " : ""}${withoutName(error.message, name)}`,
  );
}

function withoutName(message: string, name: string): string {
  return message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
}
