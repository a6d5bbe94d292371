import { Graph, type Value } from "../graph/graph.ts";
import { concat, mul, pad, reshape, slice, sum } from "../graph/ops/index.ts";
import type { Memory } from "../runtime/backends/backend.ts";
import { compile, type Compiled } from "../runtime/compile.ts";
import { holdTensors } from "../runtime/held.ts";
import { assemble } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { ALIGNMENT, roundUp, type Arena } from "../tensor/arena.ts";
import { flatView, type Float32Tensor } from "../tensor/tensor.ts";
import { PASS, updateOf, type AdamWEngine, type Arenas } from "./adamw-update.ts";

/**
 * AdamW's arithmetic where memory cannot be sliced: parameters and gradients lie on the device by themselves, for other graphs read and write
 * them. Those that are side by side in the arenas are joined for the arithmetic: a few long passes instead of several short ones a tensor.
 * Moments are held joined.
 */

/** Elements that a device adds up in the first stage of a sum: one sum keeps only a few of its processors busy. */
const SUMMED = 2 ** 10;

export function createJoinedEngine(arenas: Arenas, session: SessionOptions, memory: Memory): Promise<AdamWEngine> {
  const groups = groupsOf(arenas.p);
  const each = ({ tensors }: Arena) => [...tensors.values()].map(({ data }) => flatView(data));
  const joined = ({ flat }: Arena) => groups.map(({ start, end }) => flatView(flat.subarray(start, end)));
  const [p, g, m, v] = [each(arenas.p), each(arenas.g), joined(arenas.m), joined(arenas.v)];
  const saved = [...p, ...m, ...v];
  return assemble(async (own, release) => {
    own(await holdTensors(memory, [...saved, ...g]));
    const squares = own(await compileSquares(groups, session));
    const updates: Compiled<string>[] = [];
    for (const group of groups) updates.push(own(await compileUpdate(group, session)));
    const named = (kind: "p" | "g", tensors: readonly Float32Tensor[], { members }: Group) =>
      Object.fromEntries(members.map(({ index }) => [`${kind}${index}`, tensors[index]]));
    return {
      squares: async () =>
        (await squares.run(Object.fromEntries(g.map((tensor, index) => [`g${index}`, tensor])))).total.data[0],
      async update(constants) {
        for (const [i, group] of groups.entries()) {
          const results = { ...named("p", p, group), m: m[i], v: v[i] };
          await updates[i].run({ ...results, ...named("g", g, group), ...constants }, results);
        }
      },
      fetch: () => memory.fetch(saved),
      send: () => memory.send(saved),
      release,
    };
  });
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
function compileSquares(groups: readonly Group[], session: SessionOptions) {
  const graph = new Graph();
  const totals = groups.map((group) => {
    const g = join(graph, "g", group);
    const [length] = g.shape;
    const row = Math.min(SUMMED, length & -length); // a power of two that divides the length
    const rows = reshape(mul(g, g), [length / row, row]);
    return reshape(sum(sum(rows, [1])), [1]);
  });
  return compile({ total: sum(concat(totals, 0)) }, session);
}

/** A group's tensors, which are inputs by themselves, as they lie in the arena: with zeros where that has gaps. */
function join(graph: Graph, kind: "p" | "g", { end, members }: Group): Value {
  const parts = members.map(({ index, start, size }, i) => {
    const next = i + 1 < members.length ? members[i + 1].start : end;
    return pad(graph.input(`${kind}${index}`, [size]), [0], [next - start - size]);
  });
  return concat(parts, 0);
}

/** The update of a group's parameters p0, p1, ... by gradients g0, g1, ..., and of its moments m and v. */
function compileUpdate(group: Group, session: SessionOptions): Promise<Compiled<string>> {
  const graph = new Graph();
  const [m, v] = ["m", "v"].map((name) => graph.input(name, [group.end - group.start]));
  const updated = updateOf({ p: join(graph, "p", group), g: join(graph, "g", group), m, v });
  const outputs: Record<string, Value> = { m: updated.m, v: updated.v };
  for (const { index, start, size } of group.members)
    outputs[`p${index}`] = slice(updated.p, 0, start - group.start, start - group.start + size);
  return compile(outputs, session);
}
