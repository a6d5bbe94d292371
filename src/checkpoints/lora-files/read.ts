import { ModelError } from "../../system/errors.ts";
import { allFinite } from "../../tensor/finite.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";
import { sameShape, sizeOf, type Float32Tensor, type Shape } from "../../tensor/tensor.ts";
import { openLoraFile } from "../lora.ts";
import type { StableDiffusion } from "../stable-diffusion.ts";
import { alphasOf } from "./alphas.ts";
import { parseLoraKey, type LoraKey, type LoraPart } from "./keys.ts";
import { layerTables, type Layer } from "./layers.ts";

/** A low-rank update of one layer's weight: W + scale · up · down. */
export interface LayerUpdate {
  readonly layer: Layer;
  /** [rank, in], or [rank, in · k · k] of a convolution. */
  readonly down: Float32Tensor;
  /** [out, rank] */
  readonly up: Float32Tensor;
  /** alpha / rank */
  readonly scale: number;
}

/** A LoRA file's updates of a model, by part. */
export type LoraUpdates = ReadonlyMap<LoraPart, readonly LayerUpdate[]>;

/** The keys of a layer, by piece. */
type Pieces = Partial<Record<LoraKey["piece"], string>>;

/**
 * Reads a LoRA for a model: kohya's files (A1111, ComfyUI, most downloads), PEFT's and diffusers' of any year, of the U-Net and the text
 * encoders, linear layers and convolutions, each with a rank and an alpha of its own.
 *
 * Alpha is the rank where nothing in the file says otherwise, as all readers have it.
 *
 * @param path a .safetensors file, or a folder with one
 * @throws ModelError on keys of another kind, layers that the model does not have, ranks and shapes that do not fit: nothing is passed over
 */
export async function readLoraFile(path: string, model: StableDiffusion): Promise<LoraUpdates> {
  const file = await openLoraFile(path);
  const layers = resolveLayers(file, model);
  const alphas = await alphasOf(
    file,
    [...layers.values()].map(({ pieces, key }) => ({ key, alpha: pieces.alpha })),
  );
  const updates = new Map<LoraPart, LayerUpdate[]>();
  for (const { layer, key, pieces } of layers.values()) {
    const update = await readUpdate(file, layer, pieces, (rank) => alphas(key, rank));
    updates.set(key.part, [...(updates.get(key.part) ?? []), update]);
  }
  return updates;
}

interface ResolvedLayer {
  readonly layer: Layer;
  /** One of its keys. */
  readonly key: LoraKey;
  readonly pieces: Pieces;
}

/** Every layer of the file with the model's layer that it is for. */
function resolveLayers(file: SafetensorsFile, model: StableDiffusion): Map<string, ResolvedLayer> {
  const tables = layerTables(model);
  const found = new Map<string, ResolvedLayer & { readonly pieces: Pieces }>();
  let first: { readonly name: string; readonly spelling: LoraKey["spelling"] } | undefined;
  for (const name of file.tensors.keys()) {
    const key = parseLoraKey(name, file.path);
    first ??= { name, spelling: key.spelling };
    if (first.spelling !== key.spelling)
      throw new ModelError(`${file.path}: ${first.name} and ${name} are of two kinds of LoRA files; expected one kind`);
    const layer = tables.get(key.part)?.[key.spelling].get(key.layer);
    if (layer === undefined)
      throw new ModelError(
        `${file.path}: ${name}: ${model.folder} has no such layer; is the LoRA of another model (1.x, 2.x, XL)?`,
      );
    const id = `${key.part} ${layer.name}`;
    const entry = found.get(id) ?? { layer, key, pieces: {} };
    const before = entry.pieces[key.piece];
    // this program's own files hold every tensor under two names, for PEFT and for diffusers
    if (before !== undefined && !isTwin(before, name))
      throw new ModelError(`${file.path}: ${before} and ${name} are of the same layer`);
    found.set(id, { ...entry, pieces: { ...entry.pieces, [key.piece]: name } });
  }
  if (found.size === 0) throw new ModelError(`${file.path}: expected a LoRA, but the file holds no tensors`);
  return found;
}

/** Whether two keys are one tensor under the names that PEFT and diffusers look for. */
function isTwin(a: string, b: string): boolean {
  const plain = (name: string) => name.replace(/^base_model\.model\./, "").replace(/^unet\./, "");
  return plain(a) === plain(b);
}

async function readUpdate(
  file: SafetensorsFile,
  layer: Layer,
  { down: downName, up: upName, alpha }: Pieces,
  alphaOf: (rank: number) => number,
): Promise<LayerUpdate> {
  const fail = (problem: string) => new ModelError(`${file.path}: ${problem}`);
  if (downName === undefined || upName === undefined) {
    const there = downName ?? upName ?? alpha ?? layer.name;
    throw fail(
      `${there} is there, but the layer's ${downName === undefined ? "down (A)" : "up (B)"} matrix is missing`,
    );
  }
  const [downShape, upShape] = [downName, upName].map((name) => matrix(file.tensors.get(name)?.shape ?? []));
  const target = matrix(layer.shape);
  const rank = downShape[0] ?? 0;
  if (upShape.length !== 2 || upShape[1] !== rank)
    throw fail(`${downName} [${downShape.join(", ")}] and ${upName} [${upShape.join(", ")}] differ in rank`);
  if (upShape[0] !== target[0] || !sameShape(downShape.slice(1), target.slice(1)))
    throw fail(
      `${downName} and ${upName} update a weight of [${[upShape[0], ...downShape.slice(1)].join(", ")}], but the model's ${layer.name} has [${target.join(", ")}]; is the LoRA of another model?`,
    );
  const [down, up] = [await readNumbers(file, downName), await readNumbers(file, upName)];
  return {
    layer,
    down: { ...down, shape: [rank, sizeOf(downShape.slice(1))] },
    up: { ...up, shape: [upShape[0], rank] },
    scale: alphaOf(rank) / rank,
  };
}

async function readNumbers(file: SafetensorsFile, name: string): Promise<Float32Tensor> {
  const tensor = await file.read(name);
  if (tensor.dtype !== "float32") throw new ModelError(`${file.path}: ${name} holds integers, expected numbers`);
  if (!allFinite(tensor.data)) throw new ModelError(`${file.path}: ${name} holds NaN or infinity: the file is damaged`);
  return tensor;
}

/** A shape without the two ones of a 1x1 kernel. */
function matrix(shape: Shape): Shape {
  return shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape;
}
