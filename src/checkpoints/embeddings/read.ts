import { basename } from "node:path";
import { ModelError } from "../../system/errors.ts";
import { MOST_BYTES } from "../../system/regular-files.ts";
import { allFinite } from "../../tensor/finite.ts";
import { openSafetensors, type SafetensorsFile } from "../../tensor/safetensors.ts";
import { sizeOf, type Float32Tensor } from "../../tensor/tensor.ts";
import { isCrossAttention } from "../cross-attention.ts";
import { findLoraFile } from "../lora.ts";
import { isPickle } from "../pickle.ts";
import { openTorchFile, type TorchFile } from "../torch-files/torch-file.ts";
import { isKind, type PickledValue, type StoredTensor } from "../torch-files/values.ts";
import type { StableDiffusion } from "../stable-diffusion.ts";
import { checkTrained } from "../trained-files.ts";
import { fitEmbedding, joinEmbeddings, type Embedding, type NamedVectors } from "./fit.ts";
import { otherWordFilesIn, WORD_FILES, wordFilesIn } from "./word-files.ts";

/** Names of tensors that are no trigger words: of kohya's and A1111's files, OneTrainer's (with its misspelling), diffusers' older ones. */
const NO_WORDS = /^(emb_params|emp_params|clip_[lgh]|text_encoders_[01]|string_to_param|\*)(_out)?$/;

/**
 * Reads a textual-inversion file for a model: diffusers' `learned_embeds.safetensors` and `.bin`, A1111's `.pt` and `.safetensors`, kohya's
 * and OneTrainer's, also of XL. Pickles are read without running anything in them.
 *
 * @param path the file
 * @param word what stands for it in prompts. Default: what the file says, else its name
 * @throws ModelError for what is no such file, or one of another model
 */
export async function readEmbedding(path: string, model: StableDiffusion, word?: string): Promise<Embedding> {
  const { vectors, named } = isPickle(path) ? await fromTorch(path) : await fromSafetensors(path);
  const own = word ?? named ?? basename(path).replace(/\.\w+$/, "");
  return fitEmbedding({ path, word: own, vectors }, model);
}

/** Names of vectors by their text encoder. */
const ENCODERS = ["clip_l", "clip_g"] as const;

/** A word that was trained: its vectors for each of the model's text encoders. */
export interface TrainedWordVectors {
  readonly word: string;
  readonly vectors: readonly Float32Tensor[];
}

/**
 * Reads the word in a checkpoint's folder.
 * @param word what it is called. Default: what its files say
 * @throws ModelError when a text encoder's vectors are missing, damaged or of another model
 */
export async function readWord(folder: string, model: StableDiffusion, word?: string): Promise<TrainedWordVectors> {
  await checkTrained(folder);
  const read: Embedding[] = [];
  for (const path of await wordFilesIn(folder)) {
    const { vectors, named = basename(folder) } = await fromSafetensors(path);
    // the file says of which text encoder they are
    const name = ENCODERS[WORD_FILES.findIndex((file) => file === basename(path))];
    const own = { path, word: word ?? named, vectors: vectors.map(({ tensor }) => ({ name, tensor })) };
    read.push(fitEmbedding(own, model));
  }
  const [joined] = joinEmbeddings(read);
  const vectors = joined.vectors.filter((each) => each !== undefined);
  if (vectors.length !== model.textEncoders.length)
    throw new ModelError(
      `${folder}: its word has vectors for ${vectors.length} of the model's ${model.textEncoders.length} text encoders; is it of another model?`,
    );
  return { word: joined.word, vectors };
}

/**
 * Every word in the folder of an adapter: the one that was trained, those of several subjects, or none.
 * @param word what a single one is called. Default: what its files say
 * @throws ModelError as {@link readWord}
 */
export async function readWordsOf(adapter: string, model: StableDiffusion, word?: string): Promise<Embedding[]> {
  const hasOwn = (await wordFilesIn(adapter)).length > 0;
  return [
    ...(hasOwn ? [{ path: adapter, ...(await readWord(adapter, model, word)) }] : []),
    ...((await isCrossAttention(adapter)) ? await readOtherWords(adapter, model) : []),
  ];
}

/**
 * Reads the words of several subjects beside merged keys and values, or of diffusers' own Custom Diffusion.
 * @throws ModelError when they are damaged or of another model
 */
async function readOtherWords(folder: string, model: StableDiffusion): Promise<Embedding[]> {
  const read: Embedding[] = [];
  for (const path of await otherWordFilesIn(folder)) {
    const { vectors, named = basename(path).replace(/\.\w+$/, "") } = await fromSafetensors(path);
    const name = ENCODERS[/_2\.safetensors$/.test(path) ? 1 : 0];
    read.push(fitEmbedding({ path, word: named, vectors: vectors.map(({ tensor }) => ({ name, tensor })) }, model));
  }
  return read;
}

/**
 * The embeddings that A1111 and OneTrainer put into a LoRA's file: `bundle_emb.<word>.clip_l`, `.string_to_param.*`.
 * @throws ModelError when they are damaged or of another model
 */
export async function readBundled(path: string, model: StableDiffusion): Promise<Embedding[]> {
  const file = await openSafetensors(await findLoraFile(path), { atMost: MOST_BYTES.lora });
  const words = new Map<string, NamedVectors[]>();
  for (const key of file.tensors.keys()) {
    const [, word, name] = /^bundle_emb\.(.+?)\.((?:string_to_param\.)?[^.]+)$/.exec(key) ?? [];
    if (word === undefined || name === undefined) {
      if (key.startsWith("bundle_emb.")) throw new ModelError(`${file.path}: ${key} is no key of an embedding`);
      continue;
    }
    const tensor = await readVectors(file, key);
    words.set(word, [...(words.get(word) ?? []), { name: name.replace(/^string_to_param\./, ""), tensor }]);
  }
  return [...words].map(([word, vectors]) => fitEmbedding({ path: file.path, word, vectors }, model));
}

interface Found {
  readonly vectors: readonly NamedVectors[];
  /** The trigger word, where the file says it. */
  readonly named: string | undefined;
}

async function fromSafetensors(path: string): Promise<Found> {
  const file = await openSafetensors(path, { atMost: MOST_BYTES.lora });
  const names = [...file.tensors.keys()];
  if (names.length > MOST_TENSORS) throw noEmbedding(path, names);
  const vectors: NamedVectors[] = [];
  for (const name of names) vectors.push({ name, tensor: await readVectors(file, name) });
  return found(path, vectors);
}

async function fromTorch(path: string): Promise<Found> {
  const file = await openTorchFile(path);
  const { value } = file;
  if (isKind(value, "tensor")) return found(path, [await take(path, file, "*", value)]);
  if (!(value instanceof Map)) throw noEmbedding(path, []);
  // A1111's and the original's: {"string_to_param": {"*": vectors}, "name": ..., "step": ...}
  const inner = value.get("string_to_param");
  const tensors = tensorsOf(inner === undefined ? value : inner);
  if (tensors.length === 0 || tensors.length > MOST_TENSORS)
    throw noEmbedding(
      path,
      [...value.keys()].filter((key) => typeof key === "string"),
    );
  const vectors: NamedVectors[] = [];
  for (const [name, tensor] of tensors) vectors.push(await take(path, file, name, tensor));
  const named = value.get("name");
  const { named: asTensor } = found(path, vectors);
  return { vectors, named: inner !== undefined && typeof named === "string" && named !== "" ? named : asTensor };
}

/** Both encoders' of an XL, and whatever else is then refused by its name. */
const MOST_TENSORS = 4;

function found(path: string, vectors: readonly NamedVectors[]): Found {
  const [first, ...others] = vectors.map(({ name }) => name);
  if (first === undefined) throw noEmbedding(path, []);
  // diffusers: the one tensor's name is the word
  return { vectors, named: others.length === 0 && !NO_WORDS.test(first) ? first : undefined };
}

/** The tensors of a dictionary, or of PyTorch's object that holds one as its parameters. */
function tensorsOf(value: PickledValue): [name: string, tensor: StoredTensor][] {
  const state = isKind(value, "object") ? value.state : value;
  if (!(state instanceof Map)) return [];
  const entries = state.get("_parameters") instanceof Map ? state.get("_parameters") : state;
  if (!(entries instanceof Map)) return [];
  return [...entries].flatMap(([name, tensor]): [string, StoredTensor][] =>
    typeof name === "string" && isKind(tensor, "tensor") ? [[name, tensor]] : [],
  );
}

/** More than all that a text encoder reads. */
const MOST_NUMBERS = 1e6;

async function readVectors(file: SafetensorsFile, name: string): Promise<Float32Tensor> {
  const { shape = [] } = file.tensors.get(name) ?? {};
  if (sizeOf(shape) > MOST_NUMBERS)
    throw new ModelError(`${file.path}: ${name} has shape [${shape.join(", ")}], more than any textual inversion`);
  return checked(file.path, name, await file.read(name));
}

async function take(path: string, file: TorchFile, name: string, tensor: StoredTensor): Promise<NamedVectors> {
  return { name, tensor: checked(path, name, await file.read(tensor, name)) };
}

function checked(path: string, name: string, tensor: { readonly dtype: string } | Float32Tensor): Float32Tensor {
  if (!("data" in tensor) || tensor.dtype !== "float32")
    throw new ModelError(`${path}: ${name} holds integers, expected numbers`);
  if (!allFinite(tensor.data)) throw new ModelError(`${path}: ${name} holds NaN or infinity: the file is damaged`);
  return tensor;
}

function noEmbedding(path: string, names: readonly string[]): ModelError {
  return new ModelError(
    `${path}: expected a textual inversion: one tensor of vectors, or clip_l and clip_g; found ${names.slice(0, 3).join(", ") || "none"}${names.length > 3 ? `, ... (${names.length})` : ""}`,
  );
}
