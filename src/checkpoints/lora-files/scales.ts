import { basename, dirname, join } from "node:path";
import { ModelError } from "../../system/errors.ts";
import { exists, readJson, reasonOf } from "../../system/files.ts";
import { parseJson } from "../../system/json.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";
import { alphaOf, parseSettings, rankOf, type LoraSettings } from "../lora-settings.ts";
import { TEXT_PARTS, type LoraPart } from "./keys.ts";

/** A layer whose scale is asked for. */
export interface ScaledLayer {
  /** The layer's part. */
  readonly part: LoraPart;
  /** As the model names it. */
  readonly name: string;
  /** The name of the tensor that holds its alpha, where there is one. */
  readonly alpha: string | undefined;
  /** Whether it has a magnitude (DoRA). */
  readonly hasMagnitude: boolean;
}

/** What a layer's update is multiplied by. @param rank undefined where nothing is decomposed */
export type Scales = (layer: ScaledLayer, rank: number | undefined) => Promise<number>;

/** Where diffusers writes PEFT's settings, and PEFT itself. */
const METADATA_KEY = "lora_adapter_metadata";
const CONFIG = "adapter_config.json";
const PEFT_WEIGHTS = "adapter_model.safetensors";

/**
 * The scales of a LoRA file's layers: alpha / rank, with a tensor for alpha (kohya), else the settings in the header (diffusers) or in
 * adapter_config.json beside it (PEFT), which may say alpha / √rank; else 1, as all readers have it. Two whole factors of a LoKr have
 * no rank: their scale is 1, but for PEFT, which divides by the rank of its settings.
 *
 * @throws ModelError where a number is impossible, or the settings are not supported or have another rank than a layer
 */
export async function scalesOf(file: SafetensorsFile): Promise<Scales> {
  const settings = await settingsOf(file);
  return async ({ part, name, alpha, hasMagnitude }, rank) => {
    const own = settings.get(part) ?? settings.get("any");
    if (own?.usesDora === true && !hasMagnitude)
      throw new ModelError(`${own.where}: use_dora is true, but ${basename(file.path)} has no magnitude of ${name}`);
    // of whole factors it says nothing, and is infinite in half precision where a rank of 100000 asked for them
    if (alpha !== undefined) return rank === undefined ? 1 : (await readAlpha(file, alpha)) / rank;
    if (own === undefined) return 1;
    const said = rankOf(own, name);
    if (rank !== undefined && said !== rank)
      throw new ModelError(
        `${own.where}: r is ${said} for ${name}, whose matrices in ${basename(file.path)} have rank ${rank}; are the settings of another LoRA?`,
      );
    return alphaOf(own, name) / (own.isRankStabilized ? Math.sqrt(said) : said);
  };
}

async function readAlpha(file: SafetensorsFile, name: string): Promise<number> {
  const shape = file.tensors.get(name)?.shape ?? [];
  const data = shape.every((size) => size === 1) ? (await file.read(name)).data : new Float32Array();
  const [alpha] = data;
  if (data.length !== 1 || !Number.isFinite(alpha) || alpha <= 0)
    throw new ModelError(
      `${file.path}: ${name} must be one number above 0, not ${data.length === 1 ? `[${alpha}]` : `of shape [${shape.join(", ")}]`}`,
    );
  return alpha;
}

/** Settings, and where they stand. */
interface PlacedSettings extends LoraSettings {
  readonly where: string;
}

/** PEFT's settings of each part that has some; those of a folder are of whatever its file adapts. */
async function settingsOf(file: SafetensorsFile): Promise<Map<LoraPart | "any", PlacedSettings>> {
  const found = new Map<LoraPart | "any", PlacedSettings>();
  const put = (part: LoraPart | "any", json: unknown, prefix: string, where: string) =>
    found.set(part, { ...parseSettings(json, prefix, where, { all: true }), where });
  const metadata = file.metadata.get(METADATA_KEY);
  if (metadata !== undefined) {
    const where = `${file.path}: ${METADATA_KEY}`;
    const json = parseObject(metadata, where);
    for (const part of ["unet", ...TEXT_PARTS] as const)
      if (Object.hasOwn(json, `${part}.r`)) put(part, json, `${part}.`, where);
    return found;
  }
  const path = join(dirname(file.path), CONFIG);
  if (basename(file.path) === PEFT_WEIGHTS && (await exists(path))) put("any", await readJson(path), "", path);
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
