import type { DType, Shape, Tensor } from "../tensor/tensor.ts";
import { ops, type AttributesOf, type OpName } from "./ops/index.ts";

/** What a value is: element type and static shape. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A tensor that a graph will compute; immutable, made by the functions of graph/ops. */
export interface Value extends ValueType {
  readonly graph: Graph;
  readonly id: number;
  /** Where it comes from. */
  readonly source: Source;
}

export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "constant"; readonly tensor: Tensor }
  | { readonly kind: "node"; readonly node: Node; readonly output: number };

/** One application of an op. */
export interface Node<N extends OpName = OpName> {
  readonly op: N;
  readonly attributes: AttributesOf<N>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Which stretch of the program the node belongs to, see {@link Graph.cut}. */
  readonly segment: number;
  /** The node whose gradient rule made it. */
  readonly gradientOf: Node | undefined;
  /** Whether it computes in float32 wherever the graph is said in half precision, see {@link Graph.inSingle}. */
  readonly isSingle: boolean;
}

/**
 * A static-shape tensor program under construction: a list of nodes in execution order.
 *
 * Inputs differ from run to run; parameters are a model's weights, which live in host memory once and serve every graph.
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Value>();
  readonly parameters = new Map<string, Value>();
  #values = 0;
  #segment = 0;
  #gradientOf: Node | undefined;
  #isSingle = false;
  readonly #scalars = new Map<number, Value>();
  /** Gradients, each with what it is the gradient of. */
  readonly gradients = new Map<Value, Value>();

  /** A value that the caller feeds at every run. @throws Error when the name is taken by an input of another type. */
  input(name: string, shape: Shape, dtype: DType = "float32"): Value {
    return this.#declare(this.inputs, "input", name, { dtype, shape });
  }

  /** A weight. Asking twice for a name gives the same value. */
  parameter(name: string, shape: Shape, dtype: DType = "float32"): Value {
    return this.#declare(this.parameters, "parameter", name, { dtype, shape });
  }

  /** A small tensor stored in the graph itself. */
  constant(tensor: Tensor): Value {
    return this.#value({ dtype: tensor.dtype, shape: tensor.shape }, { kind: "constant", tensor });
  }

  /** A float32 constant of shape []; equal numbers share one value. */
  scalar(number: number): Value {
    let value = this.#scalars.get(number);
    if (value === undefined) {
      value = this.constant({ dtype: "float32", shape: [], data: Float32Array.of(number) });
      this.#scalars.set(number, value);
    }
    return value;
  }

  /** Appends a node and returns its outputs. @throws ShapeError when the inputs do not fit the op. */
  apply<N extends OpName>(op: N, inputs: readonly Value[], attributes: AttributesOf<N>): Value[] {
    for (const input of inputs) if (input.graph !== this) throw new Error(`${op}: an input belongs to another graph`);
    const types = ops[op].infer(inputs, attributes);
    const outputs: Value[] = [];
    const gradientOf = this.#gradientOf;
    const isSingle = this.#isSingle || gradientOf?.isSingle === true;
    const node: Node<N> = { op, attributes, inputs, outputs, segment: this.#segment, gradientOf, isSingle };
    types.forEach((type, output) =>
      outputs.push(this.#value(type, { kind: "node", node: node as unknown as Node, output })),
    );
    this.nodes.push(node);
    return outputs;
  }

  /**
   * Ends a stretch of the program: nodes made from here on belong to the next segment. Models call it between blocks; training with
   * little memory keeps only what crosses the cuts and recomputes the rest. Elsewhere cuts have no effect.
   */
  cut(): void {
    this.#segment++;
  }

  /** Nodes that `make` makes compute in float32, and their gradients do, even in a graph that is said in half precision. */
  inSingle<T>(make: () => T): T {
    const before = this.#isSingle;
    this.#isSingle = true;
    try {
      return make();
    } finally {
      this.#isSingle = before;
    }
  }

  /** Nodes that `rule` makes are noted as of this node's gradient. */
  inGradientOf<T>(node: Node, rule: () => T): T {
    const before = this.#gradientOf;
    this.#gradientOf = node;
    try {
      return rule();
    } finally {
      this.#gradientOf = before;
    }
  }

  #declare(table: Map<string, Value>, kind: "input" | "parameter", name: string, type: ValueType): Value {
    const known = table.get(name);
    if (known === undefined) {
      const value = this.#value(type, { kind, name });
      table.set(name, value);
      return value;
    }
    if (known.dtype !== type.dtype || describe(known) !== describe(type))
      throw new Error(`${kind} ${name} is ${describe(known)} and was asked for as ${describe(type)}`);
    return known;
  }

  #value(type: ValueType, source: Source): Value {
    return { ...type, graph: this, id: this.#values++, source };
  }
}

/** `float32[2, 3]`, for messages. */
export function describe(type: ValueType): string {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}

/** The nodes that `outputs` depend on, in execution order. */
export function nodesBehind(outputs: readonly Value[]): Node[] {
  const graph = outputs[0]?.graph;
  if (graph === undefined) return [];
  const needed = new Set<Node>();
  const pending = [...outputs];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.source.kind !== "node" || needed.has(value.source.node)) continue;
    needed.add(value.source.node);
    pending.push(...value.source.node.inputs);
  }
  return graph.nodes.filter((node) => needed.has(node));
}
