import { CPU_DIALECT, type Dialect } from "./dialect.ts";
import { dependents, gradientsFrom, seedOf } from "./gradient.ts";
import { typesOf } from "./halves.ts";
import { Graph, nodesBehind, type Node, type Value } from "./graph.ts";

/**
 * One stretch of a program between two cuts, as a forward graph and, where it lies on a path to trained weights, a backward graph
 * that computes the stretch again and then its gradients: only what crosses the cuts is ever held.
 *
 * Values that cross cuts are named `at:<id>` and their gradients `grad-at:<id>`, after the whole program's values.
 */
export interface Segment {
  readonly forward: SegmentGraph;
  readonly backward: SegmentGraph | undefined;
}

export interface SegmentGraph {
  readonly outputs: Readonly<Record<string, Value>>;
  /** Crossing values (and, on the way back, their gradients) to feed. */
  readonly crossing: readonly string[];
  /** The whole program's inputs to feed. */
  readonly inputs: readonly string[];
}

/**
 * Splits a program at its cuts.
 * @param results what the program computes, by name; `loss` is among them and has shape []
 * @param trained the parameters whose gradients are wanted; their gradients are named `grad:<parameter>`
 * @param dialect of the device that the gradients are for
 */
export function splitProgram(
  results: Readonly<Record<string, Value>> & { readonly loss: Value },
  trained: readonly Value[],
  dialect = CPU_DIALECT,
): Segment[] {
  const nodes = nodesBehind(Object.values(results));
  const stretches = groupBySegment(nodes);
  const segmentOf = new Map(
    nodes.flatMap((node) => node.outputs.map((value): [Value, number] => [value, node.segment])),
  );
  const crosses = new Set<Value>();
  for (const node of nodes)
    for (const input of node.inputs)
      if (segmentOf.has(input) && segmentOf.get(input) !== node.segment) crosses.add(input);
  const dependent = dependents(nodes, trained);

  return stretches.map((stretch) => {
    const outgoing = stretch.flatMap((node) => node.outputs).filter((value) => crosses.has(value));
    const own = Object.entries(results).filter(([, value]) => stretch.some((node) => node.outputs.includes(value)));
    const forward = copyStretch(stretch);
    const outputs: Record<string, Value> = {};
    for (const value of outgoing) outputs[crossingName(value)] = forward.of(value);
    for (const [name, value] of own) outputs[name] = forward.of(value);
    return {
      forward: describeGraph(forward.graph, outputs),
      backward: backwardOf(stretch, outgoing, results.loss, dependent, trained, dialect),
    };
  });
}

/** A program's graphs in the order in which they run: forward from the first stretch on, then backward from the last. */
export function stagesOf(segments: readonly Segment[]): SegmentGraph[] {
  const forward = segments.map((segment) => segment.forward).filter((graph) => Object.keys(graph.outputs).length > 0);
  return [...forward, ...segments.flatMap((segment) => segment.backward ?? []).reverse()];
}

/**
 * Names of what crosses the cuts in half precision: values, and gradients as they.
 * @param parameters that are float16
 */
export function halvesThatCross(
  { loss }: { readonly loss: Value },
  { halves }: Dialect,
  parameters: ReadonlySet<string>,
): Set<string> {
  const { graph } = loss;
  const types = typesOf(graph, { halves, parameters, inputs: new Set() });
  const values = graph.nodes.flatMap(({ outputs }) => outputs.filter((value) => types.of(value) === "float16"));
  return new Set(values.map(crossingName).flatMap((name) => [name, crossingGradient(name)]));
}

/** How often each crossing value is read in one run, so that it can be let go after the last time. */
export function countUses(stages: readonly SegmentGraph[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { crossing } of stages) for (const name of crossing) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

export function crossingName(value: Value): string {
  return `at:${value.id}`;
}

export function crossingGradient(name: string): string {
  return `grad-${name}`;
}

export function parameterGradient(name: string): string {
  return `grad:${name}`;
}

function backwardOf(
  stretch: readonly Node[],
  outgoing: readonly Value[],
  loss: Value,
  dependent: ReadonlySet<Value>,
  trained: readonly Value[],
  dialect: Dialect,
): SegmentGraph | undefined {
  const copy = copyStretch(stretch);
  const seeds = outgoing
    .filter((value) => dependent.has(value))
    .map((value) => ({
      value: copy.of(value),
      grad: copy.graph.input(crossingGradient(crossingName(value)), value.shape),
    }));
  if (stretch.some((node) => node.outputs.includes(loss)) && dependent.has(loss))
    seeds.push({ value: copy.of(loss), grad: seedOf(copy.of(loss), dialect) });
  if (seeds.length === 0) return undefined;
  const incoming = copy.crossing.filter((value) => dependent.has(value));
  const weights = trained.filter((value) => copy.has(value));
  const wanted = [...incoming, ...weights];
  const grads = gradientsFrom(
    seeds,
    wanted.map((value) => copy.of(value)),
    dialect,
  );
  const outputs: Record<string, Value> = {};
  wanted.forEach((value, i) => {
    const { source } = value;
    const name = source.kind === "parameter" ? parameterGradient(source.name) : crossingGradient(crossingName(value));
    const grad = grads[i];
    if (grad !== undefined) outputs[name] = grad;
  });
  return Object.keys(outputs).length === 0 ? undefined : describeGraph(copy.graph, outputs);
}

interface Copy {
  readonly graph: Graph;
  /** Values of the whole program that the stretch reads from earlier ones. */
  readonly crossing: readonly Value[];
  has(value: Value): boolean;
  of(value: Value): Value;
}

/** The stretch's nodes on a graph of their own, with what they read from earlier stretches as inputs. */
function copyStretch(stretch: readonly Node[]): Copy {
  const graph = new Graph();
  const copies = new Map<Value, Value>();
  const crossing: Value[] = [];
  const copyOf = (value: Value): Value => {
    const known = copies.get(value);
    if (known !== undefined) return known;
    const made = enter(value);
    copies.set(value, made);
    return made;
  };
  const enter = (value: Value): Value => {
    const { source, shape, dtype } = value;
    if (source.kind === "constant")
      return shape.length === 0 ? graph.scalar(source.tensor.data[0]) : graph.constant(source.tensor);
    if (source.kind === "parameter") return graph.parameter(source.name, shape, dtype);
    if (source.kind === "input") return graph.input(source.name, shape, dtype);
    crossing.push(value);
    return graph.input(crossingName(value), shape, dtype);
  };
  for (const node of stretch) {
    const apply = () => graph.apply(node.op, node.inputs.map(copyOf), node.attributes);
    const outputs = node.isSingle ? graph.inSingle(apply) : apply();
    node.outputs.forEach((value, i) => copies.set(value, outputs[i]));
  }
  return { graph, crossing, has: (value) => copies.has(value), of: copyOf };
}

/** Which of a segment graph's inputs the outputs need. */
function describeGraph(graph: Graph, outputs: Readonly<Record<string, Value>>): SegmentGraph {
  const values = Object.values(outputs);
  const used = new Set([...values, ...nodesBehind(values).flatMap((node) => node.inputs)]);
  const names = [...graph.inputs].filter(([, value]) => used.has(value)).map(([name]) => name);
  const isCrossing = (name: string) => /^(grad-)?at:\d+$/.test(name);
  return { outputs, crossing: names.filter(isCrossing), inputs: names.filter((name) => !isCrossing(name)) };
}

function groupBySegment(nodes: readonly Node[]): Node[][] {
  const groups = new Map<number, Node[]>();
  for (const node of nodes) {
    const group = groups.get(node.segment);
    if (group === undefined) groups.set(node.segment, [node]);
    else group.push(node);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
