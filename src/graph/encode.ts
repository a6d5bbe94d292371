import { Constants } from "./constants.ts";
import { CPU_DIALECT, type Dialect } from "./dialect.ts";
import { nodesBehind, type Node, type Value } from "./graph.ts";
import { typesOf, type NodeTypes } from "./halves.ts";
import { DATA_TYPES, encodeOnnx, type OnnxModel, type OnnxNode, type OnnxValueInfo } from "./onnx.ts";
import { ops } from "./ops/index.ts";
import type { Op, OnnxCall, OperandType } from "./op.ts";
import type { HostTensor } from "../tensor/tensor.ts";

/** A graph as an ONNX model. */
export interface GraphModel {
  readonly onnx: OnnxModel;
  /** What each name of the model is; not of results within an op. */
  readonly values: ReadonlyMap<string, OperandType>;
  /** Names of what must be fed. */
  readonly inputs: readonly string[];
  readonly parameters: readonly string[];
  /** Whether it computes with 16 bits. */
  readonly halves: boolean;
  /** Whether values are cast to float32 for each reader anew. */
  readonly castsAgain: boolean;
}

export interface EncodedGraph extends Pick<GraphModel, "inputs" | "parameters" | "halves" | "castsAgain"> {
  readonly model: Uint8Array;
}

export interface EncodeOptions {
  readonly initializers?: ReadonlyMap<string, HostTensor> | undefined;
  /** Parameters that are kept in half precision. */
  readonly halves?: ReadonlySet<string> | undefined;
  /** Inputs and outputs that are float16: all others are float32, whatever the graph computes in. */
  readonly crossing?: ReadonlySet<string> | undefined;
  readonly dialect?: Dialect | undefined;
}

/** {@link modelOf} in bytes. */
export function encodeGraph(outputs: Readonly<Record<string, Value>>, options?: EncodeOptions): EncodedGraph {
  const { onnx, ...model } = modelOf(outputs, options);
  return { ...model, model: encodeOnnx(onnx) };
}

/**
 * The ONNX model that computes `outputs`, by their names; nodes that nothing needs are left out.
 *
 * ONNX Runtime schedules a graph from its last node without consumers backwards, so nodes that only produce outputs are moved to the end,
 * in reverse order of `outputs`. A gradient then comes out, and frees what it was computed from, as early as it can if `outputs` begins
 * with the output that is ready last.
 *
 * Of a node's inputs it computes the one that comes last in the model first. So parameters' casts come before all nodes: each is done when
 * its reader is about to run, and what it makes is there no longer than that.
 *
 * What is cast to float16 is so once, for its copy is the smaller one; what is cast to float32 is so for each reader (those of one gradient
 * count as one), for that copy should not stay.
 *
 * @param options.initializers parameters to store in the model instead of feeding them
 * @param options.halves parameters that are fed as float16, and cast where they are used in float32
 * @param options.dialect of the device that the model is for
 */
export function modelOf(
  outputs: Readonly<Record<string, Value>>,
  { initializers = new Map(), halves = NONE, crossing = NONE, dialect = CPU_DIALECT }: EncodeOptions = {},
): GraphModel {
  const values = Object.values(outputs);
  const types = typesOf(values[0].graph, { halves: dialect.halves, parameters: halves, inputs: crossing });
  const wanted = (name: string, value: Value) => (crossing.has(name) ? "float16" : value.dtype);
  const names = nameOutputs(outputs, (name, value) => types.of(value) === wanted(name, value));
  const constants = new Constants();
  const described = new Map<string, OperandType>();
  const inputs = new Map<string, OnnxValueInfo>();
  const parameters = new Map<string, OnnxValueInfo>();
  const nameOf = (value: Value): string => {
    let name = names.get(value);
    if (name === undefined) names.set(value, (name = declare(value)));
    return name;
  };
  const declare = (value: Value): string => {
    const { source, shape } = value;
    if (source.kind === "constant") return constants.add(source.tensor);
    if (source.kind === "node") return `v${value.id}`;
    const info = { name: feedName(source), dtype: types.of(value), shape };
    described.set(info.name, info);
    const stored = source.kind === "parameter" ? initializers.get(source.name) : undefined;
    if (stored !== undefined) constants.list.push({ name: info.name, tensor: stored });
    else (source.kind === "input" ? inputs : parameters).set(source.name, info);
    return info.name;
  };

  const [early, nodes]: [OnnxNode[], OnnxNode[]] = [[], []];
  const casts = new Map<string, string>();
  let castsAgain = false;
  const nameIn = (value: Value, type: OperandType["dtype"], reader: Node): string => {
    const name = nameOf(value);
    if (types.of(value) === type) return name;
    const key = type === "float16" ? name : `${name} ${readerOf(reader)}`;
    const known = casts.get(key);
    if (known !== undefined) return known;
    castsAgain ||= type === "float32";
    const made = `${name}/${type}/${casts.size}`;
    casts.set(key, made);
    described.set(made, { dtype: type, shape: value.shape });
    (value.source.kind === "parameter" ? early : nodes).push(cast(name, made, type));
    return made;
  };
  const numbers = new Map<Node, number>();
  /** Whom a node reads for: itself, or the gradient that it is of. */
  const readerOf = (node: Node): string => {
    const of = node.gradientOf ?? node;
    const number = numbers.get(of) ?? numbers.size;
    numbers.set(of, number);
    return node.gradientOf === undefined ? `${number}` : `gradient ${number}`;
  };

  const results = Object.entries(outputs);
  for (const node of leavesLast(nodesBehind(values), values)) {
    const typed = types.in(node);
    const used = node.inputs.map((value) => {
      const type = value.dtype === "float32" ? typed.operands : value.dtype;
      return { name: nameIn(value, type, node), dtype: type, shape: value.shape };
    });
    nodes.push(...encodeNode(node, typed, used, nameOf, constants, dialect));
    node.outputs.forEach((value, i) => {
      const [name, { shape }] = [nameOf(value), value];
      described.set(name, { dtype: typed.kept[i], shape });
      described.set(nameBefore(name, typed, i), { dtype: typed.made[i], shape });
    });
    // an output in another type comes out where it is made
    for (const [name, value] of results)
      if (node.outputs.includes(value) && types.of(value) !== wanted(name, value))
        nodes.push(cast(nameOf(value), name, wanted(name, value)));
  }
  for (const [name, value] of results) {
    if (names.get(value) === name) continue;
    if (types.of(value) === wanted(name, value))
      nodes.push({ type: "Identity", domain: "", inputs: [nameOf(value)], outputs: [name], attributes: {} });
    else if (value.source.kind !== "node") nodes.push(cast(nameOf(value), name, wanted(name, value)));
  }
  for (const [name, value] of results) described.set(name, { dtype: wanted(name, value), shape: value.shape });
  const isHalf = ({ dtype }: OnnxValueInfo) => dtype === "float16";
  return {
    onnx: {
      nodes: [...early, ...nodes],
      inputs: [...inputs.values(), ...parameters.values()],
      outputs: results.map(([name, value]) => ({ name, dtype: wanted(name, value), shape: value.shape })),
      initializers: constants.list,
    },
    values: described,
    inputs: [...inputs.keys()],
    parameters: [...parameters.keys()],
    halves: dialect.halves || [...inputs.values(), ...parameters.values()].some(isHalf),
    castsAgain,
  };
}

const NONE: ReadonlySet<string> = new Set();

function cast(from: string, to: string, type: OperandType["dtype"]): OnnxNode {
  return { type: "Cast", domain: "", inputs: [from], outputs: [to], attributes: { to: DATA_TYPES[type] } };
}

/** The name under which an input or a parameter is fed. */
export function feedName(source: { readonly kind: "input" | "parameter"; readonly name: string }): string {
  return `${source.kind}:${source.name}`;
}

/** A value that a node makes takes its output's name, the first where there are several that are of its type. */
function nameOutputs(
  outputs: Readonly<Record<string, Value>>,
  isOfItsType: (name: string, value: Value) => boolean,
): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const [name, value] of Object.entries(outputs))
    if (value.source.kind === "node" && !names.has(value) && isOfItsType(name, value)) names.set(value, name);
  return names;
}

/** The op's ONNX nodes, which read `used`. Results that only they use are named `<output>/1`, `<output>/2`, ... */
function encodeNode(
  { op, attributes, outputs }: Node,
  types: NodeTypes,
  used: readonly (OperandType & { readonly name: string })[],
  nameOf: (value: Value) => string,
  constants: Constants,
  dialect: Dialect,
): OnnxNode[] {
  const nodes: OnnxNode[] = [];
  let inner = 0;
  const encodeCall = (call: OnnxCall, results: readonly string[]): void => {
    const given = [
      ...used.map(({ name }) => name),
      ...(call.constants ?? []).map((constant) => constants.add(constant)),
    ];
    const resultOf = (argument: OnnxCall): string => {
      const name = `${nameOf(outputs[0])}/${++inner}`;
      encodeCall(argument, [name]);
      return name;
    };
    const taken = call.inputs?.map((i) => (typeof i === "number" ? given[i] : i === "" ? "" : resultOf(i)));
    const { type, domain = "", attributes = {} } = call;
    nodes.push({ type, domain, inputs: taken ?? given, outputs: results, attributes });
  };
  const results = outputs.map((value, i) => nameBefore(nameOf(value), types, i));
  encodeCall((ops[op] as Op<object>).onnx(attributes, used, dialect), results);
  outputs.forEach((value, i) => {
    if (types.made[i] !== types.kept[i]) nodes.push(cast(results[i], nameOf(value), types.kept[i]));
  });
  return nodes;
}

/** The name of an output as it is computed, before it is cast to the type in which it is kept. */
function nameBefore(name: string, { made, kept }: NodeTypes, output: number): string {
  return made[output] === kept[output] ? name : `${name}/${made[output]}`;
}

/** Moves the nodes that only produce outputs to the end, in reverse order of `outputs`. */
export function leavesLast(nodes: readonly Node[], outputs: readonly Value[]): Node[] {
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const leaves = new Set<Node>();
  for (const { source } of outputs.toReversed())
    if (source.kind === "node" && !source.node.outputs.some((value) => used.has(value))) leaves.add(source.node);
  return [...nodes.filter((node) => !leaves.has(node)), ...leaves];
}
