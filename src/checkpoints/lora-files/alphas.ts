import { basename, dirname, join } from "node:path";
import { ModelError } from "../../system/errors.ts";
import { exists, readJson, reasonOf } from "../../system/files.ts";
import { parseJson } from "../../system/json.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";
import { alphaOf, parseSettings, rankOf, type LoraSettings } from "../lora-settings.ts";
import { TEXT_PARTS, type LoraKey } from "./keys.ts";

/** A layer's alpha. */
export type Alphas = (key: LoraKey, rank: number) => number;

/** Where diffusers writes PEFT's settings, and PEFT itself. */
const METADATA_KEY = "lora_adapter_metadata";
const CONFIG = "adapter_config.json";
const PEFT_WEIGHTS = "adapter_model.safetensors";

interface LayerAlpha {
  readonly key: LoraKey;
  /** The name of the tensor that holds it, where there is one. */
  readonly alpha: string | undefined;
}

/**
 * The alphas of a LoRA file: a tensor for each layer (kohya), else the settings in the header (diffusers) or in adapter_config.json
 * beside it (PEFT), else each layer's rank.
 * @throws ModelError where some layers have one and others none, a number is impossible, or the settings have another rank than a layer
 */
export async function alphasOf(file: SafetensorsFile, layers: readonly LayerAlpha[]): Promise<Alphas> {
  const without = layers.find(({ alpha }) => alpha === undefined);
  const withOne = layers.find(({ alpha }) => alpha !== undefined);
  if (withOne !== undefined && without !== undefined)
    throw new ModelError(
      `${file.path}: ${withOne.alpha} is there, but ${without.key.layer} has no alpha: expected one for each layer, or none`,
    );
  if (withOne !== undefined) {
    const numbers = new Map<string, number>();
    for (const { key, alpha } of layers) if (alpha !== undefined) numbers.set(idOf(key), await readAlpha(file, alpha));
    return (key, rank) => numbers.get(idOf(key)) ?? rank;
  }
  const settings = await settingsOf(file);
  return ({ part, layer }, rank) => {
    const own = settings.get(part);
    if (own === undefined) return rank;
    const said = rankOf(own, layer) ?? rank;
    if (said !== rank)
      throw new ModelError(
        `${own.where}: r is ${said} for ${layer}, whose matrices in ${basename(file.path)} have rank ${rank}; are the settings of another LoRA?`,
      );
    return alphaOf(own, layer);
  };
}

function idOf({ part, layer }: LoraKey): string {
  return `${part} ${layer}`;
}

async function readAlpha(file: SafetensorsFile, name: string): Promise<number> {
  const { data } = await file.read(name);
  const [alpha] = data;
  if (data.length !== 1 || !Number.isFinite(alpha) || alpha <= 0)
    throw new ModelError(`${file.path}: ${name} must be one number above 0, not [${data.slice(0, 3).join(", ")}]`);
  return alpha;
}

/** Settings, and where they stand. */
interface PlacedSettings extends LoraSettings {
  readonly where: string;
}

/** PEFT's settings of each part that has some. */
async function settingsOf(file: SafetensorsFile): Promise<Map<LoraKey["part"], PlacedSettings>> {
  const found = new Map<LoraKey["part"], PlacedSettings>();
  const put = (part: LoraKey["part"], json: unknown, prefix: string, where: string) =>
    found.set(part, { ...parseSettings(json, prefix, where, { patterns: true }), where });
  const metadata = file.metadata.get(METADATA_KEY);
  if (metadata !== undefined) {
    const where = `${file.path}: ${METADATA_KEY}`;
    const json = parseObject(metadata, where);
    for (const part of ["unet", ...TEXT_PARTS] as const)
      if (Object.hasOwn(json, `${part}.r`)) put(part, json, `${part}.`, where);
    return found;
  }
  const path = join(dirname(file.path), CONFIG);
  if (basename(file.path) === PEFT_WEIGHTS && (await exists(path))) put("unet", await readJson(path), "", path);
  return found;
}

function parseObject(text: string, where: string): object {
  try {
    const value: unknown = parseJson(text);
    if (typeof value === "object" && value !== null) return value;
  } catch (error) {
    throw new ModelError(`${where}: expected JSON, but ${reasonOf(error)}`, { cause: error });
  }
  throw new ModelError(`${where}: expected an object of settings`);
}
