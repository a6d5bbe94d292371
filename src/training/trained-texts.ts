import { TEXT_PARTS } from "../checkpoints/lora-files/keys.ts";
import type { LoadedTextModel } from "../diffusion/text-encoding.ts";
import { add, concat, matmul, mul, reshape, sub, sum } from "../graph/ops/index.ts";
import type { Value } from "../graph/graph.ts";
import { clipTextFeatures, clipTextOf } from "../models/clip/text.ts";
import { withLora, type LoraConfig } from "../nn/lora.ts";
import type { ParameterGroup } from "../nn/optimizer.ts";
import { join, type Scope } from "../nn/scope.ts";
import type { Float32Tensor, Shape, Weight } from "../tensor/tensor.ts";
import type { TextCondition } from "./denoising.ts";
import { loraDisplacement } from "./trainable.ts";

/**
 * What trains of how texts are read, a word or a LoRA: the text encoders are part of the objective then, and read every text in every step.
 * Their own weights stay as they are, the table of words too, which no graph of a training reads.
 */
export type TrainedTexts = TrainedWords | TrainedTextLora;

interface OfBoth {
  /** The pipeline's text encoders, as they are without what trains. */
  readonly encoders: readonly LoadedTextModel[];
}

export interface TrainedWords extends OfBoth {
  /** The words whose vectors train, as they stand in texts: one, or one for each of several subjects. */
  readonly words: readonly string[];
  readonly lora?: undefined;
  /** Their vectors, [words · n, D] for each encoder by {@link vectorsName}: n of each word, in the order of the words. */
  readonly group: ParameterGroup;
}

export interface TrainedTextLora extends OfBoth {
  /** The LoRA of the text encoders that trains. */
  readonly lora: LoraConfig;
  readonly words?: undefined;
  /** Its matrices, by the names that the graph has for them. */
  readonly group: ParameterGroup;
}

/** What the graph calls the words' vectors of one of the text encoders. */
export function vectorsName(encoder: number): string {
  return join(TEXT_PARTS[encoder], "word");
}

/** The shape [n, D] of the vectors of all words in a text encoder; undefined where no word trains. */
export function vectorsOf({ words, group }: TrainedTexts, encoder: number): Shape | undefined {
  if (words === undefined) return undefined;
  const vectors = group.start.get(vectorsName(encoder));
  if (vectors === undefined) throw new Error(`the words have no vectors in ${TEXT_PARTS[encoder]}`);
  return vectors.shape;
}

/** The words' vectors as they are now, a tensor for each text encoder. @param parameters all that train */
export function vectorsIn(
  parameters: ReadonlyMap<string, Float32Tensor>,
  { encoders }: Pick<TrainedTexts, "encoders">,
): Float32Tensor[] {
  return encoders.flatMap((_, i) => parameters.get(vectorsName(i)) ?? []);
}

/** How far what trains of the texts is from where it began: ‖v - v₀‖² of a word's vectors, or ‖(alpha / rank) B A‖² of a LoRA. */
export function textDisplacement({ group, lora }: TrainedTexts, { graph }: Scope): Value {
  if (lora !== undefined) return loraDisplacement(lora, group.start, graph);
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

/** What a text is fed as, behind its name: the vectors of its other tokens, where the words' vectors go, and where the text ends. */
export const inputsOf = (name: string, encoder: number) => ({
  tokens: `${name}.tokens.${encoder}`,
  slots: `${name}.slots.${encoder}`,
  end: `${name}.end.${encoder}`,
});

/** What a text is fed as of the text encoders as they began, where a LoRA of theirs trains: its embedding, which stays what it is. */
export const startInputsOf = (name: string) => ({ states: `${name}.start`, pooled: `${name}.start.pooled` });

/**
 * B texts on an objective's graph, as the text encoders make them of what trains. A text of several parts is so many rows, and each row of
 * tokens [L, D] is what stands in the table, with the words' n vectors added where the slots [L, n] say: elsewhere these are zero. All of it
 * is computed in float32, as pictures are drawn with it.
 */
export function putTexts(
  trained: TrainedTexts,
  base: Scope,
  name: string,
  size: { readonly batch: number; readonly textLength: number },
): TextCondition {
  return base.graph.inSingle(() => textsIn(trained, base, name, size));
}

function textsIn(
  trained: TrainedTexts,
  base: Scope,
  name: string,
  { batch, textLength }: { readonly batch: number; readonly textLength: number },
): TextCondition {
  const { graph } = base;
  const root = trained.lora === undefined ? base : withLora(base, trained.lora);
  const states: Value[] = [];
  let pooled: Value | undefined;
  for (const [i, { config, tokenizer, layer, projected }] of trained.encoders.entries()) {
    const { length } = tokenizer;
    const rows = (batch * textLength) / length;
    const features = config.hiddenSize;
    const inputs = inputsOf(name, i);
    const others = graph.input(inputs.tokens, [rows, length, features]);
    const scope = root.at(TEXT_PARTS[i]);
    const tokens = withWord(trained, i, others, inputs.slots);
    const text = clipTextOf(projected ? scope.at("text_model") : scope, config, tokens);
    states.push(reshape(text[layer], [batch, textLength, features]));
    if (!projected) continue;
    // the state at the end of the first part: 1 there, 0 elsewhere and in all other parts
    const end = reshape(graph.input(inputs.end, [rows, length]), [rows, length, 1]);
    const last = reshape(mul(text.last, end), [batch, textLength, features]);
    pooled = clipTextFeatures(scope, sum(last, [1]), config.projectionDim);
  }
  return { states: states.length === 1 ? states[0] : concat(states, 2), pooled };
}

/** Tokens [rows, L, D] with the words' vectors where the input `slots` says, if words train. */
function withWord(trained: TrainedTexts, encoder: number, tokens: Value, slots: string): Value {
  const shape = vectorsOf(trained, encoder);
  if (shape === undefined) return tokens;
  const { graph } = tokens;
  const [rows, length] = tokens.shape;
  const [count] = shape;
  const places = reshape(graph.input(slots, [rows, length, count]), [rows * length, count]);
  return add(tokens, reshape(matmul(places, graph.parameter(vectorsName(encoder), shape)), tokens.shape));
}
