import { join } from "node:path";
import { z } from "zod";
import { DEFAULTS_FILE, readModelIndex, type ModelIndex } from "../checkpoints/model-index.ts";
import { chooseWeights, readShardMap, type WeightsOptions } from "../checkpoints/weights.ts";
import { ModelError } from "../system/errors.ts";
import { readOptionalJson } from "../system/optional-files.ts";

/** What a folder is to hold: a Stable Diffusion pipeline, a VAE, an encoder of pictures and texts, or one of pictures alone. */
export type ModelKind = "diffusers" | "vae" | "image-text" | "image";

/** The folder of one model within a checkpoint, "" for the checkpoint's own. */
interface WeightsPlace {
  readonly folder: string;
  readonly stem: WeightsOptions["stem"];
}

/** A model's parts, as its first file names them. */
export interface Parts {
  readonly weights: readonly WeightsPlace[];
  readonly tokenizers: readonly string[];
  /** Of a pipeline. */
  readonly index: ModelIndex | undefined;
}

/** The file that says what a model is; nothing else is fetched before it has been read. */
export function firstFile(kind: ModelKind): string {
  return kind === "diffusers" ? "model_index.json" : "config.json";
}

/** @param folder holds {@link firstFile} @throws ModelError on a pipeline that is not supported */
export async function partsOf(kind: ModelKind, folder: string): Promise<Parts> {
  if (kind === "vae")
    return { weights: [{ folder: "", stem: "diffusion_pytorch_model" }], tokenizers: [], index: undefined };
  if (kind !== "diffusers") {
    const tokenizers = kind === "image-text" ? [""] : [];
    return { weights: [{ folder: "", stem: "model" }], tokenizers, index: undefined };
  }
  const index = await readModelIndex(folder);
  return {
    weights: [
      { folder: "unet", stem: "diffusion_pytorch_model" },
      { folder: "vae", stem: "diffusion_pytorch_model" },
      ...index.textEncoders.map(({ name }) => ({ folder: name, stem: "model" }) as const),
    ],
    tokenizers: index.textEncoders.map(({ tokenizer }) => tokenizer),
    index,
  };
}

const MOST_SHARDS = 1000;
const TOKENIZER_SETTINGS = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
const VOCABULARIES = ["vocab.json", "merges.txt", "vocab.txt"];

/** The small files that this program reads, of those that are there: configurations, vocabularies, indices of shards, defaults. */
export function smallFiles(
  paths: readonly string[],
  { weights, tokenizers, index }: Parts,
  variant: string | undefined,
): string[] {
  const present = new Set(paths);
  const wanted = [...weights.map(({ folder }) => at(folder, "config.json")), "preprocessor_config.json", DEFAULTS_FILE];
  if (index !== undefined)
    wanted.push(
      present.has("scheduler/scheduler_config.json") ? "scheduler/scheduler_config.json" : "scheduler/config.json",
    );
  for (const folder of tokenizers) {
    const whole = at(folder, "tokenizer.json");
    wanted.push(...TOKENIZER_SETTINGS.map((name) => at(folder, name)));
    wanted.push(...(present.has(whole) ? [whole] : VOCABULARIES.map((name) => at(folder, name))));
  }
  for (const place of weights) {
    const source = weightsIn(paths, place, variant);
    if (source?.endsWith(".json") === true) wanted.push(source);
  }
  return wanted.filter((path) => present.has(path));
}

/**
 * The files of one model's weights, and undefined where there are none that may be read.
 * @param folder holds the small files
 * @throws ModelError when an index of shards is damaged
 */
export async function weightFiles(
  paths: readonly string[],
  place: WeightsPlace,
  { folder, variant }: { readonly folder: string; readonly variant: string | undefined },
): Promise<string[] | undefined> {
  const source = weightsIn(paths, place, variant);
  if (source === undefined) return undefined;
  if (!source.endsWith(".json")) return [source];
  const shards = new Set((await readShardMap(join(folder, source))).map(([, shard]) => at(place.folder, shard)));
  if (shards.size > MOST_SHARDS)
    throw new ModelError(`${join(folder, source)}: weights in ${shards.size} files, expected at most ${MOST_SHARDS}`);
  return [...shards].sort();
}

function weightsIn(
  paths: readonly string[],
  { folder, stem }: WeightsPlace,
  variant: string | undefined,
): string | undefined {
  const source = chooseWeights(namesIn(paths, folder), stem, variant);
  return source === undefined ? undefined : at(folder, source);
}

/** The files that stand in a folder itself. */
export function namesIn(paths: readonly string[], folder: string): string[] {
  const start = folder === "" ? "" : `${folder}/`;
  return paths.flatMap((path) =>
    path.startsWith(start) && !path.slice(start.length).includes("/") ? [path.slice(start.length)] : [],
  );
}

const promptsSchema = z.object({ prompts: z.object({ live: z.unknown(), object: z.unknown() }).partial().optional() });

/** The two files of prompts that a model's rpo.json may name, of those that are there. */
export async function promptFiles(paths: readonly string[], folder: string): Promise<string[]> {
  const settings = await readOptionalJson(folder, DEFAULTS_FILE, promptsSchema).catch(() => undefined);
  return Object.values(settings?.prompts ?? {}).filter(
    (name): name is string => typeof name === "string" && paths.includes(name),
  );
}

function at(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
