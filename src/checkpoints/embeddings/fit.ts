import { ModelError } from "../../system/errors.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { TEXT_PARTS } from "../lora-files/keys.ts";
import type { StableDiffusion } from "../stable-diffusion.ts";

/** A tensor of a textual inversion, by its name in the file. */
export interface NamedVectors {
  readonly name: string;
  /** [n, features], or [features] of one. */
  readonly tensor: Float32Tensor;
}

/** A word with vectors of its own. */
export interface Embedding {
  /** The file. */
  readonly path: string;
  /** What stands for the vectors in prompts. */
  readonly word: string;
  /** [n, features] for each text encoder, in the pipeline's order; undefined for one that reads the word as it is. */
  readonly vectors: readonly (Float32Tensor | undefined)[];
}

/** What names say of the text encoder: kohya's and ComfyUI's, then diffusers' of 2023. */
const ENCODER: Readonly<Record<string, number>> = {
  clip_l: 0,
  clip_h: 0,
  clip_g: 1,
  text_encoders_0: 0,
  text_encoders_1: 1,
};

const MOST_LETTERS = 200;

/**
 * An embedding's tensors by the model's text encoders: by their names, else by the numbers in a vector.
 * @throws ModelError for vectors of another model, too many, and words that no prompt could hold
 */
export function fitEmbedding(
  { path, word, vectors }: { readonly path: string; readonly word: string; readonly vectors: readonly NamedVectors[] },
  { textEncoders, folder }: Pick<StableDiffusion, "textEncoders" | "folder">,
): Embedding {
  const fail = (problem: string) => new ModelError(`${path}: ${problem}`);
  if (word.trim() === "" || word.length > MOST_LETTERS || /\p{Cc}/u.test(word))
    throw fail(`${JSON.stringify(word.slice(0, 40))} is no word that a prompt could hold; name another: FILE:WORD`);
  const widths = textEncoders.map(({ config }) => config.hiddenSize);
  const fitted: (Float32Tensor | undefined)[] = textEncoders.map(() => undefined);
  for (const { name, tensor } of vectors) {
    if (/_out$/.test(name))
      throw fail(
        `${name} is added to what the text encoder gives (OneTrainer's output embedding), which is not supported`,
      );
    const { shape } = tensor;
    const [count, features] = shape.length === 1 ? [1, shape[0]] : shape;
    if (shape.length < 1 || shape.length > 2 || count < 1)
      throw fail(`${name} has shape [${shape.join(", ")}], expected vectors: [n, ${widths.join(" or ")}]`);
    const hits = Object.hasOwn(ENCODER, name)
      ? [ENCODER[name]]
      : [...widths.keys()].filter((i) => widths[i] === features);
    const [at = 0] = hits;
    if (widths[at] !== features)
      throw fail(
        `${name} has vectors of ${features} numbers, but ${folder} takes ${widths.join(" and ")}; is it of another model (1.x: 768, 2.x: 1024, XL: 768 and 1280)?`,
      );
    if (hits.length > 1) throw fail(`${name} does not say of which text encoder it is; expected clip_l or clip_g`);
    if (fitted[at] !== undefined) throw fail(`two tensors are of the same text encoder (${TEXT_PARTS[at]})`);
    const most = textEncoders[at].tokenizer.length - 2;
    if (count > most) throw fail(`${name} has ${count} vectors, but the text encoder reads ${most} tokens`);
    fitted[at] = { ...tensor, shape: [count, features] };
  }
  return { path, word, vectors: fitted };
}

/**
 * Embeddings of one word as one: diffusers has the two encoders' of an XL in two files.
 * @throws ModelError where two have the same encoder's vectors
 */
export function joinEmbeddings(embeddings: readonly Embedding[]): Embedding[] {
  const joined = new Map<string, Embedding>();
  for (const embedding of embeddings) {
    const key = embedding.word.trim().toLowerCase();
    const before = joined.get(key);
    if (before === undefined) joined.set(key, embedding);
    else {
      if (embedding.vectors.some((vectors, i) => vectors !== undefined && before.vectors[i] !== undefined))
        throw new ModelError(
          `${before.path} and ${embedding.path} are both for the word ${JSON.stringify(embedding.word)}; name another for one: FILE:WORD`,
        );
      joined.set(key, { ...before, vectors: before.vectors.map((vectors, i) => vectors ?? embedding.vectors[i]) });
    }
  }
  return [...joined.values()];
}
