import type { Value } from "../graph/graph.ts";
import { reshape, sum } from "../graph/ops/index.ts";
import type { Arena } from "../tensor/arena.ts";
import { float32, type Float32Tensor } from "../tensor/tensor.ts";
import type { Resource } from "../runtime/resources.ts";

/** Arenas of one layout, by kind: parameters p, gradients g, and whatever else an optimizer keeps. */
export type Arenas<K extends string> = Readonly<Record<K | "p" | "g", Arena>>;

/** Elements that a device updates in one pass: many beside what starting a pass costs, few beside what its memory holds. */
export const PASS = 2 ** 24;

/** Some of an optimizer's arithmetic, on a graph: what it makes of each element by itself, whichever stretch of the arenas it is given. */
export type Pass<K extends string> = (values: Readonly<Record<K | "p" | "g", Value>>) => {
  /** What it writes, over what was there. */
  readonly written: Readonly<Partial<Record<K | "p", Value>>>;
  /** Elements whose totals over all parameters are wanted. */
  readonly summed?: Readonly<Record<string, Value>>;
};

/** A number of a pass that changes from step to step, see {@link ArenaEngine.run}. */
export function constant({ graph }: Value, name: string): Value {
  return graph.input(name, []);
}

/** What does an optimizer's arithmetic, where the tensors are. */
export interface ArenaEngine<P extends string> extends Resource {
  /** Σ g² of all gradients. */
  squares(): Promise<number>;
  /** Makes a pass over all of the arenas. @returns the totals that it wants, by their names */
  run(pass: P, constants: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>>;
  fetch(): Promise<void>;
  send(): Promise<void>;
}

/** Numbers as a graph is fed them. */
export function scalarsOf(constants: Readonly<Record<string, number>>): Record<string, Float32Tensor> {
  return Object.fromEntries(Object.entries(constants).map(([name, x]) => [name, float32([x], [])]));
}

/** Elements that are added up in float32; their sums are added on the host, in double precision. */
const SUMMED = 2 ** 10;

/** What a graph's outputs of sums are called. */
const TOTAL = "total.";

/** The sums of rows of each, as outputs of a graph. */
export function totalsOf(summed: Readonly<Record<string, Value>> = {}): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(summed).map(([name, x]) => [TOTAL + name, sum(reshape(x, rowsOf(x.shape[0])), [1])]),
  );
}

/** Rows of a power of two of elements each, that divides the length. */
export function rowsOf(length: number): [rows: number, elements: number] {
  const row = Math.min(SUMMED, length & -length);
  return [length / row, row];
}

/** Adds what {@link totalsOf} gave to totals. */
export function addTotals(
  totals: Record<string, number>,
  results: Readonly<Record<string, { readonly data: ArrayLike<number> }>>,
): void {
  for (const [name, { data }] of Object.entries(results)) {
    if (!name.startsWith(TOTAL)) continue;
    const key = name.slice(TOTAL.length);
    let total = totals[key] ?? 0;
    for (let i = 0; i < data.length; i++) total += data[i];
    totals[key] = total;
  }
}
