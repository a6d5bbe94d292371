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
import { exists } from "../../system/files.ts";
import type { Interaction } from "../interaction.ts";
import { checkModel, defaultReward, hubNameOf, MODEL_FLAGS, modelFolder, type ModelFlag } from "./names.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import { isFile } from "../paths.ts";

/** A model that a flag names. */
export interface ModelRequest {
  readonly flag: ModelFlag;
  /** A folder, "tiny", or a name on the hub. */
  readonly name: string;
  readonly variant?: string | undefined;
}

/** The folders of models; those on the hub are fetched, once the others have been found. @throws UsageError naming the flag */
export async function findModels<K extends string>(
  requests: Readonly<Partial<Record<K, ModelRequest>>>,
  interaction: Interaction,
): Promise<Partial<Record<K, string>>> {
  const folders: Partial<Record<K, string>> = {};
  const wanted: (WantedModel & { readonly key: K })[] = [];
  for (const [key, request] of Object.entries(requests) as [K, ModelRequest | undefined][]) {
    if (request === undefined) continue;
    const { flag, name, variant } = request;
    const onHub = await hubNameOf(flag, name);
    if (onHub === undefined) {
      folders[key] = modelFolder(flag, name);
      await checkModel(flag, folders[key]);
      if (variant !== undefined && (await isFile(folders[key])))
        throw new UsageError(`--variant ${variant}: ${name} is one file and has no variants; leave it out`);
      continue;
    }
    wanted.push({
      key,
      name: onHub,
      kind: MODEL_FLAGS[flag].kind,
      variant,
      check: (folder) => checkConfiguration(flag, folder),
      explain: (error) => explain(error, flag, name),
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
    if (request !== undefined && (await hubNameOf(request.flag, request.name)) !== undefined) return true;
  return false;
}

/** The two models of a training, whose settings have their names. */
export function trainingModels(given: GivenSettings): Partial<Record<"model" | "reward", ModelRequest>> {
  const {
    model = EMBEDDED_MODEL,
    reward = typeof model === "string" ? defaultReward(model) : undefined,
    variant,
  } = given;
  return {
    ...(typeof model === "string" && {
      model: {
        flag: "--model",
        name: model,
        variant: typeof variant === "string" ? variant : undefined,
      },
    }),
    ...(typeof reward === "string" && { reward: { flag: "--reward", name: reward } }),
  };
}

/**
 * A folder that a run names, fetched again if it was in the hub's cache and is no longer; an embedded model is this copy's own.
 * @returns where it is now
 */
export async function restoreModel(
  flag: "--model" | "--reward",
  folder: string,
  interaction: Interaction,
  variant?: string,
): Promise<string> {
  if (await exists(join(folder, MODEL_FLAGS[flag].file))) return folder;
  const embedded = embeddedPart(folder);
  if (embedded !== undefined) return embeddedFolder(embedded);
  const snapshot = repoOfSnapshot(folder);
  if (snapshot === undefined) return folder;
  const name = `${snapshot.repo}@${snapshot.commit}`;
  const { model = folder } = await findModels({ model: { flag, name, variant } }, interaction);
  return model;
}

async function checkConfiguration(flag: ModelFlag, folder: string): Promise<void> {
  const at = (part: string) => join(folder, part, "config.json");
  switch (flag) {
    case "--model":
      parseUnetConfig(await readConfig(join(folder, "unet")), at("unet"));
      parseVaeConfig(await readConfig(join(folder, "vae")), at("vae"));
      break;
    case "--reward":
    case "--align":
      parseAlignConfig(await readConfig(folder), at(""));
      break;
    case "--clip":
      parseClipConfig(await readConfig(folder), at(""));
      break;
    case "--dino":
      parseDinoConfig(await readConfig(folder), at(""));
      break;
  }
}

/** An error with the flag's name. What looks like a path may have been meant as one. */
function explain(error: UsageError, flag: ModelFlag, name: string): UsageError {
  const ambiguous = error instanceof NotOnHub && !Object.hasOwn(SHORT_NAMES, name.split("@")[0]);
  return new UsageError(
    `${flag} ${name}: ${ambiguous ? "no such folder, and " : ""}${withoutName(error.message, name)}`,
  );
}

function withoutName(message: string, name: string): string {
  return message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
}
