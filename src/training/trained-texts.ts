import { TEXT_PARTS } from "../checkpoints/lora-files/keys.ts";
import type { LoadedTextModel } from "../diffusion/text-encoding.ts";
import { add, concat, matmul, mul, reshape, sub, sum } from "../graph/ops/index.ts";
import type { Value } from "../graph/graph.ts";
import { clipTextFeatures, clipTextOf } from "../models/clip/text.ts";
import type { ParameterGroup } from "../nn/optimizer.ts";
import { join, type Scope } from "../nn/scope.ts";
import type { Float32Tensor, Shape, Weight } from "../tensor/tensor.ts";
import type { TextCondition } from "./denoising.ts";

/**
 * A word whose vectors train: the text encoders are part of the objective then, and read every text in every step. Their own weights stay as
 * they are, the table of all other words too, which no graph of a training reads.
 */
export interface TrainedTexts {
  /** The word, as it stands in texts. */
  readonly word: string;
  /** The pipeline's text encoders, as they are without it. */
  readonly encoders: readonly LoadedTextModel[];
  /** The word's vectors, [n, D] for each encoder by {@link vectorsName}. */
  readonly group: ParameterGroup;
}

/** What the graph calls a word's vectors of one of the text encoders. */
export function vectorsName(encoder: number): string {
  return join(TEXT_PARTS[encoder], "word");
}

/** Numbers of vectors that a word has in a text encoder. */
export function vectorsOf({ group }: TrainedTexts, encoder: number): Shape {
  const vectors = group.start.get(vectorsName(encoder));
  if (vectors === undefined) throw new Error(`the word has no vectors in ${TEXT_PARTS[encoder]}`);
  return vectors.shape;
}

/** A word's vectors as they are now, a tensor for each text encoder. @param parameters all that train */
export function vectorsIn(
  parameters: ReadonlyMap<string, Float32Tensor>,
  { encoders }: Pick<TrainedTexts, "encoders">,
): Float32Tensor[] {
  return encoders.flatMap((_, i) => parameters.get(vectorsName(i)) ?? []);
}

/** ‖v - v₀‖² of the word's vectors. */
export function wordDisplacement({ group }: TrainedTexts, { graph }: Scope): Value {
  const squares = [...group.start].map(([name, start]) => {
    const difference = sub(graph.parameter(name, start.shape), graph.constant(start));
    return sum(mul(difference, difference));
  });
  return squares.reduce((total, each) => add(total, each));
}

/** The text encoders' weights, by the names that graphs have for them. */
export function textWeights({ encoders }: TrainedTexts): Map<string, Weight> {
  return new Map(
    encoders.flatMap(({ weights }, i) =>
      [...weights].flatMap(([name, tensor]): [string, Weight][] =>
        tensor.dtype === "int32" ? [] : [[join(TEXT_PARTS[i], name), tensor]],
      ),
    ),
  );
}

/** What a text is fed as, behind its name: the vectors of its other tokens, where the word's vectors go, and where the text ends. */
export const inputsOf = (name: string, encoder: number) => ({
  tokens: `${name}.tokens.${encoder}`,
  slots: `${name}.slots.${encoder}`,
  end: `${name}.end.${encoder}`,
});

/**
 * B texts on an objective's graph, as the text encoders make them of the word's vectors. A text of several parts is so many rows, and each row
 * of tokens [L, D] is what stands in the table, with the word's n vectors added where the slots [L, n] say: elsewhere these are zero.
 */
export function putTexts(
  trained: TrainedTexts,
  base: Scope,
  name: string,
  { batch, textLength }: { readonly batch: number; readonly textLength: number },
): TextCondition {
  const { graph } = base;
  const states: Value[] = [];
  let pooled: Value | undefined;
  for (const [i, { config, tokenizer, layer, projected }] of trained.encoders.entries()) {
    const { length } = tokenizer;
    const rows = (batch * textLength) / length;
    const inputs = inputsOf(name, i);
    const shape = vectorsOf(trained, i);
    const [count, features] = shape;
    const others = graph.input(inputs.tokens, [rows, length, features]);
    const slots = reshape(graph.input(inputs.slots, [rows, length, count]), [rows * length, count]);
    const word = reshape(matmul(slots, graph.parameter(vectorsName(i), shape)), others.shape);
    const scope = base.at(TEXT_PARTS[i]);
    const text = clipTextOf(projected ? scope.at("text_model") : scope, config, add(others, word));
    states.push(reshape(text[layer], [batch, textLength, features]));
    if (!projected) continue;
    // the state at the end of the first part: 1 there, 0 elsewhere and in all other parts
    const end = reshape(graph.input(inputs.end, [rows, length]), [rows, length, 1]);
    const last = reshape(mul(text.last, end), [batch, textLength, features]);
    pooled = clipTextFeatures(scope, sum(last, [1]), config.projectionDim);
  }
  return { states: states.length === 1 ? states[0] : concat(states, 2), pooled };
}
