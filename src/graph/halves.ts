import type { HostTensor } from "../tensor/tensor.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { OpName } from "./ops/index.ts";

/**
 * Half precision where it is enough, as PyTorch's autocast has it: which of a graph's values are float16, and in which type each node computes.
 *
 * Values are float32 to whoever makes a graph. What differs from autocast is that the results of normalisations and of softmax are kept in
 * float16, though they are computed in float32: they are most of what the way back needs.
 */

type Float = "float16" | "float32";

/**
 * - "product": in float16, whose hardware sums in float32, but for products of weights alone
 * - "single": in float32, and so is the result
 * - "inside": in float32; the result is as the input was
 * - "statistics": as its input is, which the engine reads into float32; mean and deviation are float32
 * - "follows": float32 if any of its values is. Weights and constants, which are no activations, follow
 */
type Kind = "product" | "single" | "inside" | "statistics" | "follows";

const KINDS: Readonly<Record<OpName, Kind>> = {
  matmul: "product",
  gemm: "product",
  conv2d: "product",
  convTranspose2d: "product",
  fusedAttention: "product",
  sum: "single",
  mean: "single",
  logSoftmax: "single",
  batchNormalize: "single",
  sigmoid: "single",
  exp: "single",
  log: "single",
  sqrt: "single",
  sin: "single",
  cos: "single",
  softplus: "single",
  softmax: "inside",
  normalize: "statistics",
  add: "follows",
  sub: "follows",
  mul: "follows",
  div: "follows",
  neg: "follows",
  detach: "follows",
  sign: "follows",
  tanh: "follows",
  erf: "follows",
  relu: "follows",
  swish: "follows",
  gelu: "follows",
  reshape: "follows",
  transpose: "follows",
  concat: "follows",
  split: "follows",
  slice: "follows",
  pad: "follows",
  shift: "follows",
  expand: "follows",
  gather: "follows",
  oneHot: "follows",
  upsample2x: "follows",
  averagePool2x: "follows",
};

/** In which types a node works. */
export interface NodeTypes {
  /** To which its inputs are cast, but for whole numbers. */
  readonly operands: Float;
  /** Of the outputs as they are computed, and as they are kept. */
  readonly made: readonly HostTensor["dtype"][];
  readonly kept: readonly HostTensor["dtype"][];
}

export interface Types {
  of(value: Value): HostTensor["dtype"];
  in(node: Node): NodeTypes;
}

export interface TypesOptions {
  /** Whether nodes compute in float16 where that is enough; else all do in float32. */
  readonly halves: boolean;
  /** Names of parameters that are float16. */
  readonly parameters: ReadonlySet<string>;
  /** Names of inputs that are. */
  readonly inputs: ReadonlySet<string>;
}

/** The types of all values of a graph. */
export function typesOf({ nodes, gradients }: Graph, { halves, parameters, inputs }: TypesOptions): Types {
  const known = new Map<Node, NodeTypes>();
  /** Nodes that read nothing but weights and constants. */
  const ofWeights = new Set<Node>();
  const inNode = (node: Node): NodeTypes => {
    const types = known.get(node);
    if (types === undefined) throw new Error(`${node.op}: a node before its inputs`);
    return types;
  };
  const of = ({ source, dtype }: Value): HostTensor["dtype"] => {
    if (dtype !== "float32") return dtype;
    if (source.kind === "node") return inNode(source.node).kept[source.output];
    const isHalf =
      (source.kind === "parameter" && parameters.has(source.name)) ||
      (source.kind === "input" && inputs.has(source.name));
    return isHalf ? "float16" : "float32";
  };
  const isWeight = ({ source }: Value) =>
    source.kind === "node" ? ofWeights.has(source.node) : source.kind !== "input";
  const widest = (values: readonly Value[]): Float =>
    values.length > 0 && values.every((value) => of(value) === "float16") ? "float16" : "float32";

  const operandsOf = ({ op, inputs, gradientOf, isSingle }: Node, kind: Kind): Float => {
    if (!halves || isSingle || kind === "single" || kind === "inside") return "float32";
    const floats = inputs.filter(({ dtype }) => dtype === "float32");
    const activations = floats.filter((value) => !isWeight(value));
    if (kind !== "product") return widest(activations.length > 0 ? activations : floats);
    // the gradient of a product is as exact as the product was
    if (gradientOf !== undefined) return KINDS[op] === KINDS[gradientOf.op] ? inNode(gradientOf).operands : "float16";
    return activations.length > 0 ? "float16" : widest(floats);
  };

  for (const node of nodes) {
    const kind = KINDS[node.op];
    if (node.inputs.every(isWeight)) ofWeights.add(node);
    const operands = operandsOf(node, kind);
    const made = node.outputs.map(({ dtype }, i) => {
      if (dtype !== "float32") return dtype;
      return kind === "statistics" && i > 0 ? "float32" : operands;
    });
    const kept = node.outputs.map((value, i) => {
      const like = halves ? gradients.get(value) : undefined;
      if (like !== undefined) return of(like);
      return halves && kind === "inside" && i === 0 ? of(node.inputs[0]) : made[i];
    });
    known.set(node, { operands, made, kept });
  }
  return { of, in: inNode };
}
