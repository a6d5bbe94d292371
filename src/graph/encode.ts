import { CPU_DIALECT, type Dialect } from "./dialect.ts";
import { describe, nodesBehind, type Node, type Value } from "./graph.ts";
import { DATA_TYPES, encodeOnnx, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from "./onnx.ts";
import { ops } from "./ops/index.ts";
import type { Op, OnnxCall, OnnxConstant } from "./op.ts";
import type { HostTensor } from "../tensor/tensor.ts";

export interface EncodedGraph {
  readonly model: Uint8Array;
  /** Names of what must be fed. */
  readonly inputs: readonly string[];
  readonly parameters: readonly string[];
}

export interface EncodeOptions {
  readonly initializers?: ReadonlyMap<string, HostTensor> | undefined;
  /** Parameters that are kept in half precision. */
  readonly halves?: ReadonlySet<string> | undefined;
  readonly dialect?: Dialect | undefined;
}

/**
 * The ONNX model that computes `outputs`, by their names; nodes that nothing needs are left out.
 *
 * ONNX Runtime schedules a graph from its last node without consumers backwards, so nodes that only produce outputs are moved to the end,
 * in reverse order of `outputs`. A gradient then comes out, and frees what it was computed from, as early as it can if `outputs` begins
 * with the output that is ready last.
 *
 * Of a node's inputs it computes the one that comes last in the model first. So casts come before all nodes: each is done when its reader is
 * about to run, and what it makes is there no longer than that.
 *
 * @param options.initializers parameters to store in the model instead of feeding them
 * @param options.halves parameters that are fed as float16, and cast where they are used
 * @param options.dialect of the device that the model is for
 */
export function encodeGraph(
  outputs: Readonly<Record<string, Value>>,
  { initializers = new Map(), halves = new Set(), dialect = CPU_DIALECT }: EncodeOptions = {},
): EncodedGraph {
  const names = nameOutputs(outputs);
  const constants = new Constants();
  const inputs = new Map<string, OnnxValueInfo>();
  const parameters = new Map<string, OnnxValueInfo>();
  const nameOf = (value: Value): string => {
    let name = names.get(value);
    if (name === undefined) names.set(value, (name = declare(value)));
    return name;
  };
  const declare = (value: Value): string => {
    const { source, dtype, shape } = value;
    if (source.kind === "constant") return constants.add(source.tensor);
    if (source.kind === "node") return `v${value.id}`;
    const isHalf = source.kind === "parameter" && halves.has(source.name);
    const info = { name: feedName(source), dtype: isHalf ? ("float16" as const) : dtype, shape };
    const stored = source.kind === "parameter" ? initializers.get(source.name) : undefined;
    if (stored !== undefined) constants.list.push({ name: info.name, tensor: stored });
    else (source.kind === "input" ? inputs : parameters).set(source.name, info);
    return info.name;
  };

  const values = Object.values(outputs);
  const casts: OnnxNode[] = [];
  /** The name of a value where it is used: a parameter in half precision is cast for each use anew. */
  const useOf = (value: Value): string => {
    const name = nameOf(value);
    if (value.source.kind !== "parameter" || !halves.has(value.source.name)) return name;
    const cast = `${name}/float32/${casts.length}`;
    casts.push({ type: "Cast", domain: "", inputs: [name], outputs: [cast], attributes: { to: DATA_TYPES.float32 } });
    return cast;
  };
  const nodes = leavesLast(nodesBehind(values), values).flatMap((node) =>
    encodeNode(node, nameOf, useOf, constants, dialect),
  );
  for (const [name, value] of Object.entries(outputs))
    if (names.get(value) !== name)
      nodes.push({ type: "Identity", domain: "", inputs: [useOf(value)], outputs: [name], attributes: {} });
  const model = encodeOnnx({
    nodes: [...casts, ...nodes],
    inputs: [...inputs.values(), ...parameters.values()],
    outputs: Object.entries(outputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    initializers: constants.list,
  });
  return { model, inputs: [...inputs.keys()], parameters: [...parameters.keys()] };
}

/** The name under which an input or a parameter is fed. */
export function feedName(source: { readonly kind: "input" | "parameter"; readonly name: string }): string {
  return `${source.kind}:${source.name}`;
}

/** A value that a node makes takes its output's name, the first where there are several. */
function nameOutputs(outputs: Readonly<Record<string, Value>>): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const [name, value] of Object.entries(outputs))
    if (value.source.kind === "node" && !names.has(value)) names.set(value, name);
  return names;
}

/** The op's ONNX nodes. Results that only they use are named `<output>/1`, `<output>/2`, ... */
function encodeNode(
  { op, attributes, inputs, outputs }: Node,
  nameOf: (value: Value) => string,
  useOf: (value: Value) => string,
  constants: Constants,
  dialect: Dialect,
): OnnxNode[] {
  const nodes: OnnxNode[] = [];
  const used = inputs.map(useOf);
  let inner = 0;
  const encodeCall = (call: OnnxCall, results: readonly string[]): void => {
    const given = [...used, ...(call.constants ?? []).map((constant) => constants.add(constant))];
    const resultOf = (argument: OnnxCall): string => {
      const name = `${nameOf(outputs[0])}/${++inner}`;
      encodeCall(argument, [name]);
      return name;
    };
    const taken = call.inputs?.map((i) => (typeof i === "number" ? given[i] : i === "" ? "" : resultOf(i)));
    const { type, domain = "", attributes = {} } = call;
    nodes.push({ type, domain, inputs: taken ?? given, outputs: results, attributes });
  };
  encodeCall((ops[op] as Op<object>).onnx(attributes, inputs, dialect), outputs.map(nameOf));
  return nodes;
}

/** Moves the nodes that only produce outputs to the end, in reverse order of `outputs`. */
export function leavesLast(nodes: readonly Node[], outputs: readonly Value[]): Node[] {
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const leaves = new Set<Node>();
  for (const { source } of outputs.toReversed())
    if (source.kind === "node" && !source.node.outputs.some((value) => used.has(value))) leaves.add(source.node);
  return [...nodes.filter((node) => !leaves.has(node)), ...leaves];
}

/** The constants of one model; small equal ones are stored once. */
class Constants {
  readonly list: { name: string; tensor: OnnxTensor }[] = [];
  readonly #known = new Map<string, string>();

  add(constant: OnnxConstant): string {
    const key = contentKey(constant);
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const name = `c${this.list.length}`;
    if (key !== undefined) this.#known.set(key, name);
    const tensor =
      constant.dtype === "int64"
        ? {
            dtype: "int64" as const,
            shape: [constant.values.length],
            data: BigInt64Array.from(constant.values, BigInt),
          }
        : constant;
    this.list.push({ name, tensor });
    return name;
  }
}

/** What makes two constants equal; undefined for large ones, which are not compared. */
function contentKey(constant: OnnxConstant): string | undefined {
  if (constant.dtype === "int64") return `int64:${constant.values.join()}`;
  if (constant.data.length <= 16) return `${describe(constant)}:${constant.data.join()}`;
  const [first] = constant.data;
  if (constant.data.every((x) => x === first)) return `${describe(constant)}:all ${first}`;
  return undefined;
}
