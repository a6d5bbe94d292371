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
import { TEXT_PARTS, type LoraPart } from "./lora-files/keys.ts";
import { checkTrained } from "./trained-files.ts";
import { checkPairs, parseSettings, type LoraSettings } from "./lora-settings.ts";

/** A low-rank update of a U-Net's layers: W + alpha / rank * B A. */
export interface Lora {
  readonly rank: number;
  readonly alpha: number;
  /** Named by the U-Net's layers: `mid_block...to_q.lora_A.weight` [rank, in], `...lora_B.weight` [out, rank]. */
  readonly parameters: ReadonlyMap<string, Float32Tensor>;
  /** Of the text encoders, where they have some. */
  readonly texts?: readonly TextLora[];
}

/** A text encoder's part of a LoRA. */
export interface TextLora {
  readonly part: (typeof TEXT_PARTS)[number];
  readonly rank: number;
  readonly alpha: number;
  /** Named by its layers as files have them: `text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight`. */
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
 * the untrained model): the file holds the U-Net's tensors under both names, and those of text encoders as `text_encoder.` for diffusers, which
 * takes alpha and layers from the header. The weights come last, so that a folder that has them is whole.
 *
 * @throws ModelError if a tensor lacks its partner or has another rank.
 */
export async function writeLora(
  folder: string,
  lora: LoraToWrite,
  { dtype = "F32" }: { readonly dtype?: "F32" | "F16" } = {},
): Promise<void> {
  const { rank, alpha, targets, parameters, base, texts = [] } = lora;
  for (const each of [lora, ...texts]) checkPairs(each.parameters, each.rank, folder);
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
  const settings = Object.fromEntries(
    [{ part: "unet", rank, alpha, targets }, ...texts.map((text) => ({ ...text, targets: textTargets(text) }))].flatMap(
      (each) => [
        [`${each.part}.r`, each.rank],
        [`${each.part}.lora_alpha`, each.alpha],
        [`${each.part}.target_modules`, each.targets],
      ],
    ),
  ) as Record<string, unknown>;
  const under = (prefix: string, named: Lora["parameters"]) =>
    Array.from(named, ([name, tensor]) => ({ name: prefix + name, tensor }));
  const tensors = [
    ...[PIPELINE_PREFIX, PEFT_PREFIX].flatMap((prefix) => under(prefix, parameters)),
    ...texts.flatMap(({ part, parameters: own }) => under(`${part}.`, own)),
  ];
  await writeSafetensors(join(folder, WEIGHTS), tensors, {
    dtype,
    metadata: { [METADATA_KEY]: JSON.stringify(settings) },
  });
}

/** The last names of a text encoder's layers that have a LoRA: `q_proj`. */
function textTargets({ parameters }: TextLora): string[] {
  return [...new Set([...parameters.keys()].flatMap((name) => /([^.]+)\.lora_[AB]\.weight$/.exec(name)?.[1] ?? []))];
}

/**
 * Reads a LoRA of a U-Net, and of text encoders beside it, from a file or folder, with PEFT's or diffusers' names.
 *
 * Rank and alpha come from the file's metadata, else from the `adapter_config.json` beside it, else alpha is the rank.
 *
 * @throws ModelError if the files are missing, damaged or contradict each other, or use a kind of LoRA that is not supported.
 */
export async function readLora(path: string): Promise<Lora> {
  const file = await openLoraFile(path);
  const names = adapterNames(file);
  const settingsOf = await findSettings(file);
  const texts: TextLora[] = [];
  for (const part of TEXT_PARTS) {
    const own = names.get(part);
    if (own !== undefined) texts.push({ part, ...(await readPart(file, own, settingsOf(part))) });
  }
  const unet = await readPart(file, names.get("unet") ?? new Map<string, string>(), settingsOf("unet"));
  return { ...unet, ...(texts.length > 0 && { texts }) };
}

/** One model's part of a LoRA. @param names each parameter's name within the model, and its key in the file */
async function readPart(
  file: SafetensorsFile,
  names: ReadonlyMap<string, string>,
  settings: LoraSettings | undefined,
): Promise<Omit<Lora, "texts">> {
  const parameters = new Map<string, Float32Tensor>();
  for (const [name, source] of names) {
    const tensor = await file.read(source);
    if (tensor.dtype !== "float32") throw new ModelError(`${file.path}: ${source} holds integers, expected numbers`);
    if (!allFinite(tensor.data))
      throw new ModelError(`${file.path}: ${source} holds NaN or infinity: the file is damaged`);
    parameters.set(name, tensor);
  }
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

/** Each parameter's name within its model and its key in the file, by model. */
function adapterNames(file: SafetensorsFile): ReadonlyMap<LoraPart, ReadonlyMap<string, string>> {
  const names = new Map<LoraPart, Map<string, string>>();
  const namesOf = (part: LoraPart) => {
    const own = names.get(part) ?? new Map<string, string>();
    names.set(part, own);
    return own;
  };
  for (const key of file.tensors.keys()) {
    const text = TEXT_PARTS.find((part) => key.startsWith(`${part}.text_model.`));
    const prefix =
      text === undefined
        ? ([PIPELINE_PREFIX, `${PEFT_PREFIX}unet.`, PEFT_PREFIX].find((start) => key.startsWith(start)) ?? "")
        : `${text}.`;
    const name = key.slice(prefix.length);
    if (!/\.lora_[AB]\.weight$/.test(name) || name.startsWith("text_encoder"))
      throw new ModelError(
        say`${file.path}: ${key} is not supported, expected keys such as unet.[...].to_q.lora_A.weight; ${setting("lora")} takes LoRA files of every kind`,
      );
    const own = namesOf(text ?? "unet");
    // a tensor under both of the names that writeLora gives it
    if (prefix === PIPELINE_PREFIX || !own.has(name)) own.set(name, key);
  }
  if (names.size === 0) throw new ModelError(`${file.path}: expected a LoRA, but the file holds no tensors`);
  if (!names.has("unet"))
    throw new ModelError(
      say`${file.path}: a LoRA of text encoders alone, expected one of the U-Net; ${setting("lora")} takes LoRA files of every kind`,
    );
  return names;
}

/** The settings of each model's part. */
async function findSettings(file: SafetensorsFile): Promise<(part: LoraPart) => LoraSettings | undefined> {
  const metadata = file.metadata.get(METADATA_KEY);
  if (metadata !== undefined) {
    const where = `${file.path}: ${METADATA_KEY}`;
    const json = parseMetadata(metadata, where);
    // of a text encoder that it says nothing of, alpha is the rank
    return (part) =>
      part === "unet" || hasKey(json, `${part}.r`) ? parseSettings(json, `${part}.`, where) : undefined;
  }
  const path = join(dirname(file.path), CONFIG);
  const present = file.path.endsWith(WEIGHTS) && (await exists(path));
  const settings = present ? parseSettings(await readJson(path), "", path) : undefined;
  return () => settings;
}

function hasKey(json: unknown, key: string): boolean {
  return typeof json === "object" && json !== null && Object.hasOwn(json, key);
}

function parseMetadata(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new ModelError(`${where}: expected JSON, but ${reasonOf(error)}`, { cause: error });
  }
}
