import { endToken } from "../checkpoints/embeddings/embed.ts";
import type { LoadedTextModel } from "../diffusion/text-encoding.ts";
import { Graph } from "../graph/graph.ts";
import { clipEosRows } from "../models/clip/text.ts";
import { rootScope } from "../nn/scope.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { float32, int32, zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { partsOf } from "../text/parts.ts";
import { readPlain } from "../text/prompt-weights.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Embeddings } from "./image-sampler.ts";
import type { RunText, TextInputs } from "./run-text.ts";
import { inputsOf, putTexts, textWeights, vectorsOf, type TrainedTexts } from "./trained-texts.ts";

/** How many parts a text has: as many as the text encoder has that needs most. */
export function partsOfTexts(trained: TrainedTexts): (text: string) => number {
  const readers = trained.encoders.map((encoder, i) => readerOf(trained, encoder, i));
  return (text) => Math.max(...readers.map((reader) => partsOf(reader, readPlain(text)).length));
}

/** A text encoder's tokenizer with the word, whose ids come behind all that its table has. */
function readerOf(trained: TrainedTexts, { tokenizer, config }: LoadedTextModel, i: number): Tokenizer {
  const { word } = trained;
  const [count] = vectorsOf(trained, i);
  return tokenizer.withWords([{ word, ids: Array.from({ length: count }, (_, k) => config.vocabularySize + k) }]);
}

/** A text encoder's table of vectors by id, [ids, D]. */
export function tableOf({ weights, name }: LoadedTextModel): Float32Tensor {
  for (const [key, tensor] of weights)
    if (/(^|\.)token_embedding\.weight$/.test(key) && tensor.dtype === "float32") return tensor;
  throw new Error(`${name ?? "the text encoder"} has no table of tokens`);
}

/**
 * Texts as inputs of graphs.
 * @param textLength of all of them, in tokens
 */
export function textInputs(trained: TrainedTexts, textLength: number): (text: string) => TextInputs {
  const readers = trained.encoders.map((encoder, i) => ({
    ...encoder,
    table: tableOf(encoder),
    end: { eosTokenId: endToken(encoder) },
    count: vectorsOf(trained, i)[0],
    reader: readerOf(trained, encoder, i),
  }));
  return (text) => {
    const fed = readers.map(({ table, reader, config, end, count, projected }) => {
      const { length } = reader;
      const { hiddenSize, vocabularySize } = config;
      const parts = partsOf(reader, readPlain(text)).map(({ ids }) => ids);
      const rows = textLength / length;
      while (parts.length < rows) parts.push(reader.encode("").ids);
      const [tokens, slots] = [zeros([rows, length, hiddenSize]), zeros([rows, length, count])];
      for (const [row, ids] of parts.entries())
        for (const [at, id] of ids.entries()) {
          const place = row * length + at;
          if (id >= vocabularySize) slots.data[place * count + id - vocabularySize] = 1;
          else tokens.data.set(table.data.subarray(id * hiddenSize, (id + 1) * hiddenSize), place * hiddenSize);
        }
      if (!projected) return { tokens, slots, end: undefined };
      const ends = zeros([rows, length]);
      ends.data[clipEosRows(int32(parts[0], [1, length]), end).data[0]] = 1;
      return { tokens, slots, end: ends };
    });
    return {
      isTrained: fed.some(({ slots }) => slots.data.includes(1)),
      feeds: (name) =>
        Object.fromEntries(
          fed.flatMap(({ tokens, slots, end }, i) => {
            const names = inputsOf(name, i);
            return [
              [names.tokens, tokens],
              [names.slots, slots],
              ...(end === undefined ? [] : [[names.end, end] as const]),
            ];
          }),
        ),
    };
  };
}

/** The embeddings of a run's texts by a word that trains: those that have it are computed again when they are asked to be. */
export interface LiveTexts extends Embeddings, Resource {
  readonly refresh: () => Promise<void>;
}

/**
 * @param texts all that a run reads
 * @param options.parameters the word's vectors as they train, in their place
 */
export async function openLiveTexts(
  trained: TrainedTexts,
  texts: readonly string[],
  { parameters, ...session }: SessionOptions & { readonly parameters: Parameters },
): Promise<LiveTexts> {
  const length = trained.encoders[0].tokenizer.length * Math.max(...texts.map(partsOfTexts(trained)));
  const inputs = textInputs(trained, length);
  return assemble(async (own, release) => {
    const { states, pooled } = putTexts(trained, rootScope(new Graph()), "text", { batch: 1, textLength: length });
    const outputs = { states, ...(pooled !== undefined && { pooled }) };
    const all = new Map([...parameters, ...textWeights(trained)]);
    const graph = own(await compile<string>(outputs, { ...session, parameters: all }));
    const known = new Map<string, RunText & { readonly inputs: TextInputs }>();
    const read = async (text: string, fed: TextInputs): Promise<void> => {
      const out = await graph.run(fed.feeds("text"));
      const of = (name: string) => float32(Float32Array.from(out[name].data), out[name].shape.slice(1));
      known.set(text, { states: of("states"), pooled: pooled && of("pooled"), inputs: fed });
    };
    for (const text of new Set(texts)) await read(text, inputs(text));
    return {
      length,
      of(text) {
        const embedding = known.get(text);
        if (embedding === undefined) throw new Error(`no embedding of "${text}"`);
        return embedding;
      },
      async refresh() {
        for (const [text, { inputs: fed }] of known) if (fed.isTrained) await read(text, fed);
      },
      release,
    };
  });
}
