import { Graph, type Value } from "../graph/graph.ts";
import { concat, mul, pad, reshape, slice, sum } from "../graph/ops/index.ts";
import { ALIGNMENT, roundUp, type Arena } from "../tensor/arena.ts";
import { flatView, type Float32Tensor } from "../tensor/tensor.ts";
import type { Layout } from "./arena-layout.ts";
import { PASS, rowsOf, totalsOf, type Arenas, type Pass } from "./arena-pass.ts";

/**
 * Arenas where memory cannot be sliced: parameters and gradients lie on the device by themselves, for other graphs read and
 * write them. Those that are side by side in the arenas are joined for the arithmetic: a few long passes instead of several short ones a tensor.
 * Moments, and what else an optimizer keeps, are held joined.
 */

export function joinedLayout<K extends string, P extends string>(
  arenas: Arenas<K>,
  passes: Readonly<Record<P, Pass<K>>>,
  saved: readonly K[],
): Layout<P> {
  const groups = groupsOf(arenas.p);
  const each = ({ tensors }: Arena) => [...tensors.values()].map(({ data }) => flatView(data));
  const joined = ({ flat }: Arena) => groups.map(({ start, end }) => flatView(flat.subarray(start, end)));
  const kinds = Object.keys(arenas) as (K | "p" | "g")[];
  const held = Object.fromEntries(
    kinds.map((kind) => [kind, (isApart(kind) ? each : joined)(arenas[kind])]),
  ) as unknown as Readonly<Record<K | "p" | "g", readonly Float32Tensor[]>>;
  return {
    held: Object.values<readonly Float32Tensor[]>(held).flat(),
    kept: saved.flatMap((kind) => held[kind]),
    squares: {
      total: squaresOf(groups),
      feeds: Object.fromEntries(held.g.map((tensor, index) => [`g${index}`, tensor])),
    },
    stretches: groups.map((group, i) => ({
      tensors: Object.fromEntries(
        kinds.flatMap((kind): [string, Float32Tensor][] =>
          isApart(kind)
            ? group.members.map(({ index }) => [`${kind}${index}`, held[kind][index]])
            : [[kind, held[kind][i]]],
        ),
      ),
      kind: String(i),
      outputs: (pass) => passOver(passes[pass], kinds, group),
    })),
  };
}

/** Whether a kind's tensors lie on the device by themselves. */
function isApart(kind: string): kind is "p" | "g" {
  return kind === "p" || kind === "g";
}

/** Parameters that lie side by side in the arenas. */
interface Group {
  readonly start: number;
  readonly end: number;
  readonly members: readonly Member[];
}

/** A parameter's number, and where it lies in the arenas. */
interface Member {
  readonly index: number;
  readonly start: number;
  readonly size: number;
}

/** Groups of at most {@link PASS} elements, or of one parameter. */
function groupsOf({ flat, tensors }: Arena): Group[] {
  const groups: { start: number; end: number; members: Member[] }[] = [];
  [...tensors.values()].forEach(({ data }, index) => {
    const start = (data.byteOffset - flat.byteOffset) / data.BYTES_PER_ELEMENT;
    const end = start + roundUp(data.length, ALIGNMENT);
    const last = groups.at(-1);
    const member = { index, start, size: data.length };
    if (last === undefined || end - last.start > PASS) groups.push({ start, end, members: [member] });
    else {
      last.members.push(member);
      last.end = end;
    }
  });
  return groups;
}

/** Σ g² of all gradients g0, g1, ..., in two stages: the sums of rows, then theirs. */
function squaresOf(groups: readonly Group[]): Value {
  const graph = new Graph();
  const totals = groups.map((group) => {
    const g = join(graph, "g", group);
    return reshape(sum(sum(reshape(mul(g, g), rowsOf(g.shape[0])), [1])), [1]);
  });
  return sum(concat(totals, 0));
}

/** A group's tensors, which are inputs by themselves, as they lie in the arena: with zeros where that has gaps. */
function join(graph: Graph, kind: "p" | "g", { end, members }: Group): Value {
  const parts = members.map(({ index, start, size }, i) => {
    const next = i + 1 < members.length ? members[i + 1].start : end;
    return pad(graph.input(`${kind}${index}`, [size]), [0], [next - start - size]);
  });
  return concat(parts, 0);
}

/** A pass over a group's parameters p0, p1, ... and gradients g0, g1, ..., and what is held joined beside them. */
function passOver<K extends string>(
  pass: Pass<K>,
  kinds: readonly (K | "p" | "g")[],
  group: Group,
): Record<string, Value> {
  const graph = new Graph();
  const length = group.end - group.start;
  const values = Object.fromEntries(
    kinds.map((kind) => [kind, isApart(kind) ? join(graph, kind, group) : graph.input(kind, [length])]),
  );
  const { written, summed } = pass(values as Record<K | "p" | "g", Value>);
  const { p, ...others } = written as Readonly<Record<string, Value | undefined>>;
  const outputs: Record<string, Value> = totalsOf(summed);
  for (const [kind, value] of Object.entries(others)) if (value !== undefined) outputs[kind] = value;
  if (p !== undefined)
    for (const { index, start, size } of group.members)
      outputs[`p${index}`] = slice(p, 0, start - group.start, start - group.start + size);
  return outputs;
}
