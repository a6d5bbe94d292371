import { CPU_DIALECT, inHalves, type Dialect } from "../../graph/dialect.ts";
import { modelOf } from "../../graph/encode.ts";
import { gradient } from "../../graph/gradient.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import type { OnnxNode } from "../../graph/onnx.ts";
import type { OperandType } from "../../graph/op.ts";
import { countUses, halvesThatCross, parameterGradient, splitProgram, stagesOf } from "../../graph/segments.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Losses } from "../../training/objective-scope.ts";

/** How much memory a graph takes, by when its values are made and last read. Nothing is computed. */

/** Bytes of an element. */
export interface Widths {
  /** Of what graphs compute; with 2 in half precision where that is enough. */
  readonly values: 2 | 4;
  /** Of matrices and kernels that do not train; 2 are cast where they are used, if values have 4. */
  readonly weights: 2 | 4;
}

const FLOAT32: Widths = { values: 4, weights: 4 };

/** Nodes whose result is their input's memory. */
const ALIASES: ReadonlySet<string> = new Set(["Reshape"]);
/** Nodes that may write over an input of the result's size that nothing reads after them. */
const IN_PLACE: ReadonlySet<string> = new Set(
  "Add Mul Sub Div Neg Exp Sqrt Sigmoid Erf Gelu QuickGelu Softmax".split(" "),
);

export interface PeakOptions {
  readonly widths?: Widths;
  /** Names of parameters that train. */
  readonly trained?: ReadonlySet<string>;
  readonly dialect?: Dialect;
  /** Names of inputs and outputs in half precision. */
  readonly crossing?: ReadonlySet<string>;
}

/**
 * The most bytes that values computed on the way to `outputs` take at once, in the order in which nodes are encoded. Inputs and parameters
 * do not count, a parameter's cast does while its reader runs.
 */
export function peakOf(
  outputs: Readonly<Record<string, Value>>,
  { widths = FLOAT32, trained = new Set(), dialect = CPU_DIALECT, crossing }: PeakOptions = {},
): number {
  const { graph } = Object.values(outputs)[0];
  const { onnx, values } = modelOf(outputs, {
    dialect: dialectOf(dialect, widths),
    halves: new Set(halved(graph, trained, widths)),
    crossing,
  });
  const isMade = new Set(onnx.nodes.flatMap((node) => node.outputs));
  const bytes = (name: string) => bytesOf(values.get(name) ?? { dtype: "float32", shape: [0] });
  const nodes = castsWhereRead(onnx.nodes);
  const aliased = new Map<string, string>();
  const root = (name: string) => aliased.get(name) ?? name;
  const last = new Map<string, number>();
  nodes.forEach(({ type, inputs, outputs: [made] }, i) => {
    if (ALIASES.has(type)) aliased.set(made, root(inputs[0]));
    for (const input of inputs) last.set(root(input), i);
  });
  for (const { name } of onnx.outputs) last.set(root(name), Infinity);

  let [live, peak] = [0, 0];
  nodes.forEach(({ type, inputs, outputs: made }, i) => {
    if (ALIASES.has(type)) return;
    const dying = new Set(inputs.map(root).filter((x) => isMade.has(x) && last.get(x) === i));
    const same = IN_PLACE.has(type) ? [...dying].find((x) => bytes(x) === bytes(made[0])) : undefined;
    for (const name of made) if (last.has(root(name))) live += bytes(name);
    if (same !== undefined) live -= bytes(same);
    peak = Math.max(peak, live);
    for (const name of dying) if (name !== same) live -= bytes(name);
  });
  return peak;
}

/** A parameter's cast is written before all nodes, and made when its reader is about to run. */
function castsWhereRead(nodes: readonly OnnxNode[]): OnnxNode[] {
  const casts = new Map(
    nodes.flatMap((node) =>
      node.type === "Cast" && node.inputs[0].startsWith("parameter:") ? [[node.outputs[0], node]] : [],
    ),
  );
  return nodes.flatMap((node) => {
    if (casts.has(node.outputs[0])) return [];
    const own = [...new Set(node.inputs)].flatMap((name) => casts.get(name) ?? []);
    for (const { outputs } of own) casts.delete(outputs[0]);
    return [...own, node];
  });
}

function dialectOf(dialect: Dialect, { values }: Widths): Dialect {
  return values === 2 ? inHalves(dialect) : dialect;
}

function bytesOf({ dtype, shape }: OperandType): number {
  return (dtype === "float16" ? 2 : 4) * sizeOf(shape);
}

/** Names of parameters in half precision. */
function halved({ parameters }: Graph, trained: ReadonlySet<string>, widths: Widths): string[] {
  return [...parameters].flatMap(([name, value]) => (isHalved(value, trained, widths) ? [name] : []));
}

function isHalved({ source, shape }: Value, trained: ReadonlySet<string>, { weights }: Widths): boolean {
  return source.kind === "parameter" && weights === 2 && shape.length > 1 && !trained.has(source.name);
}

/** Bytes of parameters that do not train. */
export function weightBytes(losses: Losses, trained: ReadonlySet<string>, widths: Widths): number {
  return [...losses.loss.graph.parameters]
    .filter(([name]) => !trained.has(name))
    .reduce((sum, [, value]) => sum + (isHalved(value, trained, widths) ? 2 : 4) * sizeOf(value.shape), 0);
}

/** The peak of a training step as one graph. */
export function peakWhole(losses: Losses, parameters: readonly Value[], widths: Widths, dialect: Dialect): number {
  const grads = gradient(losses.loss, parameters, dialectOf(dialect, widths));
  const named = Object.fromEntries(grads.map((grad, i) => [parameterGradient(`${i}`), grad]));
  return peakOf({ ...named, ...losses }, { widths, trained: namesOf(parameters), dialect });
}

/** The peak of a training step that computes each stretch between cuts again: what crosses cuts meanwhile, and the stretch's own peak. */
export function peakRecomputed(losses: Losses, parameters: readonly Value[], widths: Widths): number {
  const trained = namesOf(parameters);
  const dialect = dialectOf(CPU_DIALECT, widths);
  const crossing = halvesThatCross(losses, dialect, new Set(halved(losses.loss.graph, trained, widths)));
  const stages = stagesOf(splitProgram(losses, parameters, dialect));
  const uses = countUses(stages);
  const held = new Map<string, number>();
  let peak = 0;
  for (const { outputs, crossing: read } of stages) {
    const beside = [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
    peak = Math.max(peak, beside + peakOf(outputs, { widths, trained, crossing }));
    for (const [name, { shape }] of Object.entries(outputs))
      if (uses.has(name)) held.set(name, bytesOf({ dtype: crossing.has(name) ? "float16" : "float32", shape }));
    for (const name of read) {
      const left = (uses.get(name) ?? 0) - 1;
      uses.set(name, left);
      if (left <= 0) held.delete(name);
    }
  }
  return peak;
}

function namesOf(parameters: readonly Value[]): ReadonlySet<string> {
  return new Set(parameters.flatMap(({ source }) => (source.kind === "parameter" ? [source.name] : [])));
}
