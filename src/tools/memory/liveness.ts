import { CPU_DIALECT, type Dialect } from "../../graph/dialect.ts";
import { leavesLast } from "../../graph/encode.ts";
import { gradient } from "../../graph/gradient.ts";
import { nodesBehind, type Value } from "../../graph/graph.ts";
import { countUses, splitProgram, stagesOf } from "../../graph/segments.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Losses } from "../../training/objective-scope.ts";

/** How much memory a graph takes, by when its values are made and last read. Nothing is computed. */

/** Bytes of an element. */
export interface Widths {
  /** Of what graphs compute. */
  readonly values: 2 | 4;
  /** Of matrices and kernels that do not train; 2 are cast where they are used, if values have 4. */
  readonly weights: 2 | 4;
}

const FLOAT32: Widths = { values: 4, weights: 4 };

/** Ops whose result is their input's memory. */
const ALIASES: ReadonlySet<string> = new Set(["reshape"]);
/** Ops that may write over an input of the result's size that nothing reads after them. */
const IN_PLACE: ReadonlySet<string> = new Set(
  "add mul sub div neg exp sqrt sigmoid erf gelu quickGelu swish softmax".split(" "),
);

/**
 * The most bytes that values computed on the way to `outputs` take at once, in the order in which nodes are encoded. Inputs and parameters
 * do not count, a parameter's cast does while its reader runs.
 */
export function peakOf(outputs: readonly Value[], widths = FLOAT32, trained: ReadonlySet<string> = new Set()): number {
  const bytes = (value: Value) => (value.dtype === "float32" ? widths.values : 4) * sizeOf(value.shape);
  const nodes = leavesLast(nodesBehind(outputs), outputs);
  const aliased = new Map<Value, Value>();
  const root = (value: Value) => aliased.get(value) ?? value;
  const last = new Map<Value, number>();
  nodes.forEach(({ op, inputs, outputs: [made] }, i) => {
    if (ALIASES.has(op)) aliased.set(made, root(inputs[0]));
    for (const input of inputs) last.set(root(input), i);
  });
  for (const value of outputs) last.set(root(value), Infinity);

  let [live, peak] = [0, 0];
  nodes.forEach(({ op, inputs, outputs: made }, i) => {
    if (ALIASES.has(op)) return;
    const dying = new Set(inputs.map(root).filter((x) => x.source.kind === "node" && last.get(x) === i));
    const same = IN_PLACE.has(op) ? [...dying].find((x) => bytes(x) === bytes(made[0])) : undefined;
    for (const value of made) if (last.has(root(value))) live += bytes(value);
    if (same !== undefined) live -= bytes(same);
    const casts = inputs.filter((value) => isHalved(value, trained, widths) && widths.values === 4);
    peak = Math.max(peak, live + casts.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0));
    for (const value of dying) if (value !== same) live -= bytes(value);
  });
  return peak;
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
export function peakWhole(losses: Losses, trained: readonly Value[], widths: Widths, dialect: Dialect): number {
  const names = namesOf(trained);
  return peakOf([...gradient(losses.loss, trained, dialect), ...Object.values(losses)], widths, names);
}

/** The peak of a training step that computes each stretch between cuts again: what crosses cuts meanwhile, and the stretch's own peak. */
export function peakRecomputed(losses: Losses, trained: readonly Value[], widths: Widths): number {
  const names = namesOf(trained);
  const stages = stagesOf(splitProgram(losses, trained, CPU_DIALECT));
  const uses = countUses(stages);
  const held = new Map<string, number>();
  let peak = 0;
  for (const { outputs, crossing } of stages) {
    const beside = [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
    peak = Math.max(peak, beside + peakOf(Object.values(outputs), widths, names));
    for (const [name, { shape }] of Object.entries(outputs))
      if (uses.has(name)) held.set(name, widths.values * sizeOf(shape));
    for (const name of crossing) {
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
