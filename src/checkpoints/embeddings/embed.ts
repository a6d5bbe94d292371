import type { LoadedTextModel } from "../../diffusion/text-encoding.ts";
import type { ClipTextConfig } from "../../models/clip/config.ts";
import { zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { normalizeClip } from "../../text/normalize.ts";
import { trainedWords, type TrainedWord } from "../../text/trained-words.ts";
import type { Embedding } from "./fit.ts";

/** What words change of a text encoder. */
type Embedded = Pick<LoadedTextModel, "config" | "tokenizer" | "weights">;

/**
 * A text encoder that knows words: the table of its tokens' vectors goes on with theirs, and its tokenizer has ids for them.
 * @param encoder which of the pipeline's
 */
export function withEmbeddings<T extends Embedded>(model: T, embeddings: readonly Embedding[], encoder: number): T {
  const own = embeddings.flatMap(({ word, vectors }) => {
    const of = vectors[encoder];
    return of === undefined ? [] : [{ word, vectors: of }];
  });
  if (own.length === 0) return model;
  const { config, tokenizer, weights } = model;
  const words: TrainedWord[] = [];
  let next = config.vocabularySize;
  for (const { word, vectors } of own) {
    const [count] = vectors.shape;
    const first = next;
    words.push({ word, ids: Array.from({ length: count }, (_, i) => first + i) });
    next += count;
  }
  return {
    ...model,
    config: { ...config, vocabularySize: next, eosTokenId: endToken(model) },
    tokenizer: tokenizer.withWords(words),
    weights: new Map(
      [...weights].map(([name, tensor]) => [
        name,
        /(^|\.)token_embedding\.weight$/.test(name) && tensor.dtype === "float32"
          ? longer(
              tensor,
              own.map(({ vectors }) => vectors),
              config,
            )
          : tensor,
      ]),
    ),
  };
}

/** The token that ends texts, whatever other words have ids. Configs of 2022 say that it is the highest of a text's, which it no longer is. */
export function endToken({ tokenizer, config }: Embedded): number {
  const { ids } = tokenizer.encode("");
  return ids.includes(config.eosTokenId) ? config.eosTokenId : ids[1];
}

/** A table with more rows. */
function longer(table: Float32Tensor, more: readonly Float32Tensor[], { hiddenSize }: ClipTextConfig): Float32Tensor {
  const rows = table.shape[0] + more.reduce((sum, { shape }) => sum + shape[0], 0);
  const out = zeros([rows, hiddenSize]);
  out.data.set(table.data);
  let at = table.data.length;
  for (const { data } of more) {
    out.data.set(data, at);
    at += data.length;
  }
  return out;
}

/** The embeddings whose words are in no prompt. */
export function unusedWords<T extends Pick<Embedding, "word">>(
  embeddings: readonly T[],
  prompts: readonly string[],
): T[] {
  return embeddings.filter(({ word }) => !isWordIn(word, prompts));
}

/** Whether a text holds a word that has vectors of its own, which it would be read as there. */
export function isWordIn(word: string, texts: readonly string[]): boolean {
  const cut = trainedWords([{ word, ids: [] }], normalizeClip);
  return texts.some((text) => cut(normalizeClip(text)).some((piece) => typeof piece !== "string"));
}
