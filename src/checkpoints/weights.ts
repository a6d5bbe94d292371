import { stat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ModelError } from "../system/errors.ts";
import { readJson, reasonOf } from "../system/files.ts";
import { isRecord } from "../system/json.ts";
import { openSafetensors, type SafetensorsFile } from "../tensor/safetensors.ts";
import type { Float16Tensor, Shape, Tensor } from "../tensor/tensor.ts";
import { pickleRefusal } from "./pickle.ts";

/** The tensors of one model, in one file or many. Nothing is held open. */
export interface Weights {
  /** The folder, for messages. */
  readonly folder: string;
  readonly names: readonly string[];
  /** The files that hold them, for a run's record of what it started from. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** Undefined for a name that is not there. */
  shapeOf(name: string): Shape | undefined;
  /** @throws ModelError if there is no such tensor or the file cannot be read. */
  read(name: string): Promise<Tensor>;
  /** In half precision, rounded where the file's type is wider. @throws ModelError as {@link Weights.read}, and on integers */
  readHalf(name: string): Promise<Float16Tensor>;
}

export interface WeightsOptions {
  /** What the files are called: `model` by transformers, `diffusion_pytorch_model` by diffusers. */
  readonly stem: "model" | "diffusion_pytorch_model";
  /** Only this variant, such as `fp16`. By default the plain files, or a variant if there is nothing else. */
  readonly variant?: string | undefined;
}

/**
 * Finds a model's safetensors files in a folder, as diffusers and transformers name them, and reads their headers.
 *
 * One file (`model.safetensors`), shards with an index (`model.safetensors.index.json`), or either as a variant
 * (`model.fp16.safetensors`, `model.safetensors.index.fp16.json`). Pickle files (`.bin`, `.ckpt`, `.pt`) are never read.
 *
 * @throws ModelError if there are none, only pickle files, a shard is missing or a header is damaged.
 */
export async function openWeights(folder: string, { stem, variant }: WeightsOptions): Promise<Weights> {
  const present = await list(folder);
  const source = chooseWeights(present, stem, variant);
  if (source === undefined) throw new ModelError(await explain(folder, present, stem, variant));
  const path = join(folder, source);
  return source.endsWith(".json") ? openShards(folder, path, present) : openSingle(folder, path);
}

/** A folder's `config.json`. @throws ModelError if it is missing, not JSON or not an object. */
export async function readConfig(folder: string, file = "config.json"): Promise<Record<string, unknown>> {
  const path = join(folder, file);
  const config = await readJson(path);
  if (!isRecord(config)) throw new ModelError(`${path}: expected an object of settings, not ${typeName(config)}`);
  return config;
}

/**
 * The name of a model's weights among a folder's files: one file, or the index of shards. Plain before variants, fp16 before others; of
 * the same kind one file before shards.
 */
export function chooseWeights(
  present: readonly string[],
  stem: string,
  variant: string | undefined,
): string | undefined {
  const kinds = present.flatMap((name) => {
    const rest = name.startsWith(`${stem}.`) ? name.slice(stem.length) : "";
    const found =
      /^\.(?:([\w-]+)\.)?safetensors$/.exec(rest) ?? /^\.safetensors\.index\.(?:([\w-]+)\.)?json$/.exec(rest);
    return found === null ? [] : [{ name, variant: found[1] }];
  });
  const wanted = kinds.filter((kind) => variant === undefined || kind.variant === variant);
  const rank = ({ name, variant: kind }: (typeof kinds)[number]) =>
    (kind === undefined ? 0 : kind === "fp16" ? 2 : kind === "non_ema" ? 6 : 4) + (name.endsWith(".json") ? 1 : 0);
  return wanted.sort((a, b) => rank(a) - rank(b))[0]?.name;
}

async function openSingle(folder: string, path: string): Promise<Weights> {
  const file = await openSafetensors(path);
  return weightsOf(folder, new Map([...file.tensors.keys()].map((name) => [name, file])), [file]);
}

/** Each tensor's file, by an index of shards. @throws ModelError when it is damaged or names files elsewhere */
export async function readShardMap(indexPath: string): Promise<[tensor: string, file: string][]> {
  const index = await readJson(indexPath);
  const map = isRecord(index) ? index.weight_map : undefined;
  if (!isRecord(map)) throw new ModelError(`${indexPath}: expected an object with a weight_map from tensors to files`);
  return Object.entries(map).map(([name, shard]) => {
    if (typeof shard !== "string" || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw new ModelError(
        `${indexPath}: weight_map puts ${name} into ${JSON.stringify(shard)}, expected the name of a .safetensors file in this folder`,
      );
    return [name, shard];
  });
}

async function openShards(folder: string, indexPath: string, present: readonly string[]): Promise<Weights> {
  const shards = new Map<string, SafetensorsFile>();
  const owners = new Map<string, SafetensorsFile>();
  for (const [name, shard] of await readShardMap(indexPath)) {
    let file = shards.get(shard);
    if (file === undefined) {
      if (!present.includes(shard)) throw new ModelError(`${indexPath}: the shard ${shard} is missing from the folder`);
      file = await openSafetensors(join(folder, shard));
      shards.set(shard, file);
    }
    if (!file.tensors.has(name)) throw new ModelError(`${indexPath}: ${shard} does not hold the tensor ${name}`);
    owners.set(name, file);
  }
  return weightsOf(folder, owners, [...shards.values()]);
}

function weightsOf(
  folder: string,
  owners: ReadonlyMap<string, SafetensorsFile>,
  files: readonly SafetensorsFile[],
): Weights {
  const ownerOf = (name: string): SafetensorsFile => {
    const file = owners.get(name);
    if (file === undefined) throw new ModelError(`${folder}: there is no tensor ${name}`);
    return file;
  };
  return {
    folder,
    names: [...owners.keys()],
    files: files.map(({ path, size }) => ({ path, size })),
    shapeOf: (name) => owners.get(name)?.tensors.get(name)?.shape,
    read: async (name) => ownerOf(name).read(name),
    readHalf: async (name) => ownerOf(name).readHalf(name),
  };
}

async function list(folder: string): Promise<string[]> {
  try {
    // the folder's own message would not say that a folder was expected
    if (!(await stat(folder)).isDirectory()) throw new Error("expected a model's folder, but it is a file");
    return await readdir(folder);
  } catch (error) {
    const reason = reasonOf(error);
    throw new ModelError(`${folder}: ${reason === "no such file" ? "no such folder" : reason}`, { cause: error });
  }
}

async function explain(folder: string, present: readonly string[], stem: string, variant?: string): Promise<string> {
  const wanted = variant === undefined ? `${stem}.safetensors` : `${stem}.${variant}.safetensors`;
  const refusal = await pickleRefusal(folder, present, wanted);
  if (refusal !== undefined) return refusal;
  const shard = present.find((name) => /-\d{5}-of-\d{5}\.safetensors$/.test(name));
  if (shard !== undefined)
    return `${folder}: ${shard} needs the index ${stem}.safetensors.index.json, which is missing`;
  const others = present.filter((name) => name.endsWith(".safetensors"));
  return `${folder}: expected ${wanted}${others.length > 0 ? `, found only ${others.slice(0, 3).join(", ")}` : ""}`;
}

function typeName(value: unknown): string {
  return Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
}
