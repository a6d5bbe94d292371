import { Graph, type Value } from "../graph/graph.ts";
import type { ClipTextConfig } from "../models/clip/config.ts";
import { clipEosRows, clipPooled, clipText, clipTextFeatures } from "../models/clip/text.ts";
import { rootScope, type Scope } from "../nn/scope.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import { checkFinite } from "../tensor/finite.ts";
import { float32, int32, zeros, type Float32Tensor, type Tensor } from "../tensor/tensor.ts";
import { partsOf } from "../text/parts.ts";
import { readPlain, type PromptReader, type ReadPrompt } from "../text/prompt-weights.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** What the U-Net reads of one text. */
export interface TextEmbedding {
  /** [L, D]: L is 77, or so many for each part of a long prompt. */
  readonly states: Float32Tensor;
  /** SDXL: the whole text, [P]. */
  readonly pooled: Float32Tensor | undefined;
}

/** One of a pipeline's text encoders. */
export interface TextModel {
  readonly config: ClipTextConfig;
  /** A CLIPTextModelWithProjection, which also gives the pooled text; its names begin with `text_model.`. */
  readonly projected: boolean;
  /** The states to read: SD takes those after the last layer and norm, SDXL those before the last layer. */
  readonly layer: "last" | "penultimate";
}

export interface LoadedTextModel extends TextModel {
  readonly weights: Parameters;
  readonly tokenizer: Tokenizer;
  /** Where the weights are, for errors. */
  readonly name?: string | undefined;
}

/** The graph of a text model: int32 `ids` [1, L] (and `end` [1], the row of the end token) -> states [1, L, D] (and pooled [1, P]). */
export function textGraph(model: TextModel, length: number): Record<string, Value> {
  return putText(rootScope(new Graph()), model, length);
}

/** {@link textGraph} in a scope. */
export function putText(root: Scope, { config, projected, layer }: TextModel, length: number): Record<string, Value> {
  const { graph } = root;
  const text = clipText(projected ? root.at("text_model") : root, config, graph.input("ids", [1, length], "int32"));
  if (!projected) return { states: text[layer] };
  const pooled = clipPooled(text.last, graph.input("end", [1], "int32"));
  return { states: text[layer], pooled: clipTextFeatures(root, pooled, config.projectionDim) };
}

/** A text model that is ready to run, on one text at a time. */
export interface CompiledTextModel {
  /** @param ids [L] */
  run(ids: Int32Array): Promise<TextEmbedding>;
  release(): Promise<void>;
}

export async function compileTextModel(
  model: TextModel & { readonly weights: Parameters },
  length: number,
  session: SessionOptions,
): Promise<CompiledTextModel> {
  const compiled = await compile<string>(textGraph(model, length), { ...session, parameters: model.weights });
  return {
    async run(ids) {
      const batch = int32(ids, [1, length]);
      const feeds: Record<string, Tensor> = { ids: batch };
      const { states, pooled } = await compiled.run(
        model.projected ? { ...feeds, end: clipEosRows(batch, model.config) } : feeds,
      );
      return { states: single(states), pooled: model.projected ? single(pooled) : undefined };
    },
    release: () => compiled.release(),
  };
}

/** How prompts are to be read. */
export interface ReadingOptions {
  /** Default: as they are written. */
  readonly read?: PromptReader;
  /** At least so many parts, empty ones behind a prompt's own: texts that go through a U-Net together have as many. Default: its own. */
  readonly parts?: number;
}

/** A pipeline's text encoders as one. */
export interface TextEncoder {
  /** Tokens of a part. */
  readonly partLength: number;
  /** How many parts a prompt has: 1 up to CLIP's 75 tokens. */
  partsOf(prompt: string, read?: PromptReader): number;
  /** The embeddings of prompts, each computed once, of as many rows as they have parts. @throws ModelError unless numbers come out */
  encode(prompts: readonly string[], options?: ReadingOptions): Promise<TextEmbedding[]>;
  /** What guidance steers away from. Without a text it is that of "", or zeros where the pipeline wants those. */
  encodeNegative(text: string | undefined, options?: ReadingOptions): Promise<TextEmbedding>;
  /** Forgets the embeddings computed so far. */
  clear(): void;
  release(): Promise<void>;
}

export interface TextEncoderOptions {
  /** One for SD; two for SDXL, whose states are put side by side. */
  readonly models: readonly LoadedTextModel[];
  /** SDXL's `force_zeros_for_empty_prompt`. */
  readonly zerosWithoutNegative: boolean;
  readonly session: SessionOptions;
}

/**
 * Prompts to what the U-Net reads, as diffusers' pipelines encode them. Its sessions can be released once all prompts are known.
 *
 * @example
 * const encoder = await createTextEncoder({ models, zerosWithoutNegative: false, session: { threads: 2 } });
 * const [dog] = await encoder.encode(["a photo of a dog"]); // dog.states: [77, 768]
 */
export async function createTextEncoder(options: TextEncoderOptions): Promise<TextEncoder> {
  return assemble(async (own, release) => {
    const compiled: CompiledTextModel[] = [];
    for (const model of options.models)
      compiled.push(own(await compileTextModel(model, model.tokenizer.length, options.session)));
    return { ...textEncoderOf(options, compiled), release };
  });
}

function textEncoderOf(
  { models, zerosWithoutNegative }: TextEncoderOptions,
  compiled: readonly CompiledTextModel[],
): Omit<TextEncoder, "release"> {
  const known = new Map<string, TextEmbedding>();
  const countOf = (prompt: ReadPrompt) => Math.max(...models.map(({ tokenizer }) => partsOf(tokenizer, prompt).length));
  /** What one model makes of a prompt: the states of its parts one below the other, and the first part's pooled text. */
  const embedBy = async (model: LoadedTextModel, text: CompiledTextModel, prompt: ReadPrompt, count: number) => {
    const { tokenizer, name = "the text encoder" } = model;
    const parts = partsOf(tokenizer, prompt);
    while (parts.length < count) parts.push({ ids: tokenizer.encode("").ids, weights: undefined });
    const embedded: TextEmbedding[] = [];
    for (const { ids, weights } of parts) {
      const { states, pooled } = await text.run(ids);
      const part = { states: weights === undefined ? states : weighted(states, weights), pooled };
      for (const tensor of [part.states, part.pooled])
        if (tensor !== undefined) checkFinite(tensor.data, name, "the states of a prompt");
      embedded.push(part);
    }
    return { states: oneBelowTheOther(embedded.map(({ states }) => states)), pooled: embedded[0].pooled };
  };
  const embed = async (prompt: ReadPrompt, count: number): Promise<TextEmbedding> => {
    const all: TextEmbedding[] = [];
    for (const [i, model] of models.entries()) all.push(await embedBy(model, compiled[i], prompt, count));
    return {
      states: sideBySide(all.map(({ states }) => states)),
      pooled: all.find(({ pooled }) => pooled !== undefined)?.pooled,
    };
  };
  const encode = async (
    prompts: readonly string[],
    { read = readPlain, parts = 1 }: ReadingOptions = {},
  ): Promise<TextEmbedding[]> => {
    const out: TextEmbedding[] = [];
    for (const prompt of prompts) {
      const segments = read(prompt);
      const count = Math.max(parts, countOf(segments));
      const key = JSON.stringify([count, segments]);
      const embedding = known.get(key) ?? (await embed(segments, count));
      known.set(key, embedding);
      out.push(embedding);
    }
    return out;
  };
  return {
    partLength: models[0].tokenizer.length,
    partsOf: (prompt, read = readPlain) => countOf(read(prompt)),
    encode,
    async encodeNegative(text, options) {
      const [embedding] = await encode([text ?? ""], options);
      if (text !== undefined || !zerosWithoutNegative) return embedding;
      return { states: zeros(embedding.states.shape), pooled: embedding.pooled && zeros(embedding.pooled.shape) };
    },
    clear: () => known.clear(),
  };
}

/**
 * States [L, D] with each token's times its weight, then all times one number that keeps their mean: as AUTOMATIC1111's web UI does by default
 * ("Original" emphasis), for each part alone.
 */
function weighted({ data, shape }: Float32Tensor, weights: Float32Array): Float32Tensor {
  const [, features] = shape;
  const times = data.map((x, i) => x * weights[Math.floor(i / features)]);
  const sum = (values: Float32Array) => values.reduce((total, x) => total + x, 0);
  const scale = sum(data) / sum(times);
  return float32(
    times.map((x) => x * scale),
    shape,
  );
}

/** Several [Lᵢ, D] -> [Σ Lᵢ, D]. */
function oneBelowTheOther(parts: readonly Float32Tensor[]): Float32Tensor {
  if (parts.length === 1) return parts[0];
  const out = zeros([parts.reduce((rows, { shape }) => rows + shape[0], 0), parts[0].shape[1]]);
  let start = 0;
  for (const { data } of parts) {
    out.data.set(data, start);
    start += data.length;
  }
  return out;
}

/** Several [L, Dᵢ] -> [L, Σ Dᵢ]. */
function sideBySide(parts: readonly Float32Tensor[]): Float32Tensor {
  const [first] = parts;
  if (parts.length === 1) return first;
  const [length] = first.shape;
  const features = parts.reduce((sum, { shape }) => sum + shape[1], 0);
  const out = zeros([length, features]);
  let start = 0;
  for (const { data, shape } of parts) {
    for (let row = 0; row < length; row++)
      out.data.set(data.subarray(row * shape[1], (row + 1) * shape[1]), row * features + start);
    start += shape[1];
  }
  return out;
}

/** [1, ...] -> [...] */
function single(tensor: Tensor): Float32Tensor {
  return float32(tensor.data, tensor.shape.slice(1));
}
