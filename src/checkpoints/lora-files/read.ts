import { ModelError } from "../../system/errors.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";
import { openLoraFile } from "../lora.ts";
import type { StableDiffusion } from "../stable-diffusion.ts";
import { readDelta, readMagnitude, type Pieces } from "./factors.ts";
import { parseLoraKey, TEXT_PARTS, type LoraKey, type LoraPart } from "./keys.ts";
import { layerTables, type Layer, type LayerTable } from "./layers.ts";
import { otherModelOf } from "./other-kinds.ts";
import { scalesOf } from "./scales.ts";
import type { LayerUpdate, LoraUpdates } from "./updates.ts";

/** Keys of embeddings that OneTrainer and A1111 put beside a LoRA: `bundle_emb.<name>.`... */
const BUNDLED = /^bundle_emb\./;

/**
 * Reads a LoRA for a model: kohya's files (A1111, ComfyUI, most downloads), LyCORIS', PEFT's and diffusers' of any year, ComfyUI's and
 * OneTrainer's, of the U-Net and the text encoders, linear layers and convolutions, each with a rank and an alpha of its own; with
 * DoRA's magnitudes; LoHa and LoKr. Embeddings beside it are passed over: they are read as embeddings.
 *
 * Alpha is the rank where nothing in the file says otherwise, as all readers have it.
 *
 * @param path a .safetensors file, or a folder with one
 * @throws ModelError on keys of another kind, layers that the model does not have, ranks and shapes that do not fit: nothing else is passed over
 */
export async function readLoraFile(path: string, model: StableDiffusion): Promise<LoraUpdates> {
  const file = await openLoraFile(path);
  // settings name what a file is where its keys are of a kind that is not known
  const scales = await scalesOf(file);
  const layers = resolveLayers(file, model);
  const updates = new Map<LoraPart, LayerUpdate[]>();
  for (const { part, layer, pieces } of layers.values()) {
    const source = { file, layer, pieces };
    const { delta, rank } = await readDelta(source);
    const magnitude = await readMagnitude(source);
    const hasMagnitude = magnitude !== undefined;
    const scale = await scales({ part, name: layer.name, alpha: pieces.alpha, hasMagnitude }, rank);
    updates.set(part, [...(updates.get(part) ?? []), { layer, delta, scale, magnitude }]);
  }
  return updates;
}

interface ResolvedLayer {
  readonly part: LoraPart;
  readonly layer: Layer;
  readonly pieces: Pieces;
}

/** Every layer of the file with the model's layer that it is for. */
function resolveLayers(file: SafetensorsFile, model: StableDiffusion): Map<string, ResolvedLayer> {
  const names = [...file.tensors.keys()].filter((name) => !BUNDLED.test(name));
  const other = otherModelOf(names);
  if (other !== undefined)
    throw new ModelError(
      `${file.path}: this is a LoRA of ${other}; ${model.folder} takes those of Stable Diffusion 1.x, 2.x and XL, each its own`,
    );
  const tables = layerTables(model);
  const found = new Map<string, ResolvedLayer>();
  for (const name of names) {
    const key = parseLoraKey(name, file.path);
    const { part, layer } = findLayer(key, tables, () => `${file.path}: ${name}: ${model.folder}`);
    const id = `${part} ${layer.name}`;
    const entry = found.get(id) ?? { part, layer, pieces: {} };
    const before = entry.pieces[key.piece];
    // this program's own files hold every tensor under two names, for PEFT and for diffusers
    if (before !== undefined && !isTwin(before, name))
      throw new ModelError(`${file.path}: ${before} and ${name} are of the same layer`);
    found.set(id, { ...entry, pieces: { ...entry.pieces, [key.piece]: name } });
  }
  if (found.size === 0) throw new ModelError(`${file.path}: expected a LoRA, but the file holds no tensors`);
  return found;
}

/** @param where begins an error's message, the model last */
function findLayer(
  { part, spelling, layer }: LoraKey,
  tables: ReadonlyMap<LoraPart, LayerTable>,
  where: () => string,
): { readonly part: LoraPart; readonly layer: Layer } {
  const parts = part === undefined ? (["unet", ...TEXT_PARTS] as const) : [part];
  const hits = parts.flatMap((candidate) => {
    const hit = tables.get(candidate)?.[spelling].get(layer);
    return hit === undefined ? [] : [{ part: candidate, layer: hit }];
  });
  const [hit] = hits;
  if (hit === undefined)
    throw new ModelError(`${where()} has no such layer; is the LoRA of another model (1.x, 2.x, XL)?`);
  if (hits.length > 1)
    throw new ModelError(
      `${where()} has two text encoders, and the key does not say which; expected such as text_encoder_2.[...]`,
    );
  return hit;
}

/** Whether two keys are one tensor under the names that PEFT and diffusers look for. */
function isTwin(a: string, b: string): boolean {
  const plain = (name: string) => name.replace(/^base_model\.model\./, "").replace(/^unet\./, "");
  return plain(a) === plain(b);
}
