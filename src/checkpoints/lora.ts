/** LoRA folders in PEFT's layout: `adapter_model.safetensors` and `adapter_config.json`. */

import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { allFinite } from "../tensor/finite.ts";
import { exists, makeFolder, readJson, reasonOf, writeJson } from "../system/files.ts";
import { parseJson } from "../system/json.ts";
import { MOST_BYTES } from "../system/regular-files.ts";
import { openSafetensors, writeSafetensors, type SafetensorsFile } from "../tensor/safetensors.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { isSafetensors } from "./model-file.ts";
import { isPickle, pickledTensorsHint } from "./pickle.ts";
import { checkTrained } from "./trained-files.ts";
import { checkPairs, parseSettings, type LoraSettings } from "./lora-settings.ts";

/** A low-rank update of a U-Net's layers: W + alpha / rank * B A. */
export interface Lora {
  readonly rank: number;
  readonly alpha: number;
  /** Named by the U-Net's layers: `mid_block...to_q.lora_A.weight` [rank, in], `...lora_B.weight` [out, rank]. */
  readonly parameters: ReadonlyMap<string, Float32Tensor>;
}

export interface LoraToWrite extends Lora {
  /** The ends of the layers' names, for PEFT: `to_q`, `to_out.0`, ... */
  readonly targets: readonly string[];
  /** The model that the adapter belongs to: a hub id or folder. */
  readonly base?: string;
}

const WEIGHTS = "adapter_model.safetensors";
const CONFIG = "adapter_config.json";
/** Where diffusers looks for rank and alpha: without it, it takes alpha = rank. */
const METADATA_KEY = "lora_adapter_metadata";
/** diffusers' name of the model within a pipeline, and PEFT's of a model within its wrapper. */
const PIPELINE_PREFIX = "unet.";
const PEFT_PREFIX = "base_model.model.";

/**
 * Writes a LoRA folder that diffusers loads with `pipe.load_lora_weights(folder)` and PEFT with `PeftModel.from_pretrained(unet, folder)`.
 *
 * diffusers only takes keys that begin with `unet.`, PEFT only those with `base_model.model.` (of others it merely warns, and draws
 * the untrained model): the file holds the tensors under both names. The weights come last, so that a folder that has them is whole.
 *
 * @throws ModelError if a tensor lacks its partner or has another rank.
 */
export async function writeLora(
  folder: string,
  lora: LoraToWrite,
  { dtype = "F32" }: { readonly dtype?: "F32" | "F16" } = {},
): Promise<void> {
  const { rank, alpha, targets, parameters, base } = lora;
  checkPairs(parameters, rank, folder);
  await makeFolder(folder);
  await writeJson(join(folder, CONFIG), {
    peft_type: "LORA",
    base_model_name_or_path: base ?? null,
    r: rank,
    lora_alpha: alpha,
    target_modules: targets,
    lora_dropout: 0,
    bias: "none",
    task_type: null,
    inference_mode: true,
  });
  const settings = { "unet.r": rank, "unet.lora_alpha": alpha, "unet.target_modules": targets };
  const tensors = [PIPELINE_PREFIX, PEFT_PREFIX].flatMap((prefix) =>
    Array.from(parameters, ([name, tensor]) => ({ name: prefix + name, tensor })),
  );
  await writeSafetensors(join(folder, WEIGHTS), tensors, {
    dtype,
    metadata: { [METADATA_KEY]: JSON.stringify(settings) },
  });
}

/**
 * Reads a LoRA of a U-Net from a file or folder, with PEFT's or diffusers' names.
 *
 * Rank and alpha come from the file's metadata, else from the `adapter_config.json` beside it, else alpha is the rank.
 *
 * @throws ModelError if the files are missing, damaged or contradict each other, or use a kind of LoRA that is not supported.
 */
export async function readLora(path: string): Promise<Lora> {
  const file = await openLoraFile(path);
  const names = adapterNames(file);
  const parameters = new Map<string, Float32Tensor>();
  for (const [name, source] of names) {
    const tensor = await file.read(source);
    if (tensor.dtype !== "float32") throw new ModelError(`${file.path}: ${source} holds integers, expected numbers`);
    if (!allFinite(tensor.data))
      throw new ModelError(`${file.path}: ${source} holds NaN or infinity: the file is damaged`);
    parameters.set(name, tensor);
  }
  const settings = await findSettings(file);
  const first = [...parameters].find(([name]) => name.endsWith(".lora_A.weight"))?.[1];
  const rank = settings?.rank ?? first?.shape[0] ?? 0;
  checkPairs(parameters, rank, file.path);
  const alpha = settings?.alpha ?? rank;
  return { rank, alpha: settings?.isRankStabilized === true ? alpha * Math.sqrt(rank) : alpha, parameters };
}

/** What PEFT's settings beside a LoRA call its layers: the ends of their names; without settings the layers themselves. */
export async function readTargets(path: string, { parameters }: Lora): Promise<readonly string[]> {
  const config = join(path, CONFIG);
  const parsed = (await exists(config)) ? targetsSchema.safeParse(await readJson(config)) : undefined;
  if (parsed?.success === true) return parsed.data.target_modules;
  return [...new Set([...parameters.keys()].map((name) => name.replace(/\.lora_[AB]\.weight$/, "")))];
}

const targetsSchema = z.object({ target_modules: z.array(z.string()).min(1) });

/** Opens a LoRA's file, or the LoRA in a folder, after a look at the sums beside it. @throws ModelError where there is none, or it is damaged */
export async function openLoraFile(path: string): Promise<SafetensorsFile> {
  const file = await findLoraFile(path);
  await checkTrained(dirname(file));
  return openSafetensors(file, { atMost: MOST_BYTES.lora });
}

/** The file itself, or the LoRA in a folder. @throws ModelError where there is none */
export async function findLoraFile(path: string): Promise<string> {
  let present: string[];
  try {
    if (!(await stat(path)).isDirectory()) {
      if (isPickle(path) && !(await isSafetensors(path)))
        throw new ModelError(`${path} is ${pickledTensorsHint(path)}`);
      return path;
    }
    present = await readdir(path);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
  const candidates = present.filter((name) => name.endsWith(".safetensors")).sort();
  const known = [WEIGHTS, "pytorch_lora_weights.safetensors"].find((name) => candidates.includes(name));
  const chosen = known ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (chosen === undefined) throw new ModelError(noLora(path, present, candidates));
  return join(path, chosen);
}

/** Why a folder is no LoRA. */
function noLora(path: string, present: readonly string[], candidates: readonly string[]): string {
  if (candidates.length > 1)
    return `${path} holds ${candidates.length} files that may be LoRAs (${candidates.slice(0, 3).join(", ")}${candidates.length > 3 ? ", ..." : ""}); name one of them, such as ${join(path, candidates[0])}`;
  const pickle = present.find(isPickle);
  return pickle === undefined
    ? `${path}: expected ${WEIGHTS}, found no safetensors file`
    : `${path}: expected ${WEIGHTS}, found only ${pickle}, ${pickledTensorsHint(join(path, pickle))}`;
}

/** Each parameter's name within the U-Net and its key in the file. */
function adapterNames(file: SafetensorsFile): Map<string, string> {
  const names = new Map<string, string>();
  for (const key of file.tensors.keys()) {
    const prefix = [PIPELINE_PREFIX, `${PEFT_PREFIX}unet.`, PEFT_PREFIX].find((start) => key.startsWith(start)) ?? "";
    const name = key.slice(prefix.length);
    if (!/\.lora_[AB]\.weight$/.test(name) || name.startsWith("text_encoder"))
      throw new ModelError(
        say`${file.path}: ${key} is not supported, expected keys such as unet.[...].to_q.lora_A.weight; ${setting("lora")} takes LoRA files of every kind`,
      );
    // a tensor under both of the names that writeLora gives it
    if (prefix === PIPELINE_PREFIX || !names.has(name)) names.set(name, key);
  }
  if (names.size === 0) throw new ModelError(`${file.path}: expected a LoRA, but the file holds no tensors`);
  return names;
}

async function findSettings(file: SafetensorsFile): Promise<LoraSettings | undefined> {
  const metadata = file.metadata.get(METADATA_KEY);
  if (metadata !== undefined) {
    const where = `${file.path}: ${METADATA_KEY}`;
    try {
      return parseSettings(parseJson(metadata), PIPELINE_PREFIX, where);
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw new ModelError(`${where}: expected JSON, but ${reasonOf(error)}`, { cause: error });
    }
  }
  const path = join(dirname(file.path), CONFIG);
  const present = file.path.endsWith(WEIGHTS) && (await exists(path));
  return present ? parseSettings(await readJson(path), "", path) : undefined;
}
