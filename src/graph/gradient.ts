import { sameShape } from "../tensor/tensor.ts";
import { CPU_DIALECT, LOSS_SCALE, type Dialect } from "./dialect.ts";
import { describe, nodesBehind, type Node, type Value } from "./graph.ts";
import { add, expand, ops, reshape, sum } from "./ops/index.ts";
import type { Op } from "./op.ts";

/**
 * Reverse-mode differentiation: appends to the graph the nodes that compute d`loss`/d`wrt`.
 *
 * Only nodes between `wrt` and the loss are visited; a value that the loss does not depend on gets zeros.
 *
 * @param loss a value of shape []; with a dialect in half precision the gradients are those of the loss times the input {@link LOSS_SCALE}
 * @param dialect of the device that the gradients are for
 * @throws Error when the loss is no scalar or the path leads through an op that has no gradient
 */
export function gradient(loss: Value, wrt: readonly Value[], dialect = CPU_DIALECT): Value[] {
  if (loss.shape.length !== 0) throw new Error(`gradient of ${describe(loss)}: the loss must have shape []`);
  return gradientsFrom([{ value: loss, grad: seedOf(loss, dialect) }], wrt, dialect).map(
    (grad, i) => grad ?? zerosLike(wrt[i]),
  );
}

/** The gradient of the loss with respect to itself. */
export function seedOf({ graph }: Value, { halves }: Dialect): Value {
  return halves ? graph.input(LOSS_SCALE, []) : graph.scalar(1);
}

/** What is known of the loss's gradient at the end of a stretch of the graph. */
export interface Seed {
  readonly value: Value;
  readonly grad: Value;
}

/** As {@link gradient}, from known gradients of several values; undefined where none of them depends on `wrt[i]`. */
export function gradientsFrom(seeds: readonly Seed[], wrt: readonly Value[], dialect: Dialect): (Value | undefined)[] {
  const path = nodesBehind(seeds.map(({ value }) => value));
  const dependent = dependents(path, wrt);
  const grads = new Map<Value, Value>();
  const accumulate = (value: Value, grad: Value) => {
    const summed = sumTo(grad, value);
    const known = grads.get(value);
    const total = known === undefined ? summed : add(known, summed);
    grads.set(value, total);
    if (!value.graph.gradients.has(total)) value.graph.gradients.set(total, value);
  };
  for (const { value, grad } of seeds) if (dependent.has(value)) accumulate(value, grad);
  for (const node of path.toReversed()) {
    if (!node.outputs.some((output) => grads.has(output))) continue;
    backward(node, grads, dependent, dialect).forEach((grad, i) => {
      if (grad !== undefined && dependent.has(node.inputs[i])) accumulate(node.inputs[i], grad);
    });
    for (const output of node.outputs) if (!wrt.includes(output)) grads.delete(output);
  }
  return wrt.map((value) => grads.get(value));
}

/** The values of `nodes` that `wrt` has an influence on, and `wrt`. */
export function dependents(nodes: readonly Node[], wrt: readonly Value[]): Set<Value> {
  const out = new Set(wrt);
  for (const node of nodes)
    if (node.inputs.some((input) => out.has(input))) for (const output of node.outputs) out.add(output);
  return out;
}

function backward(
  node: Node,
  grads: ReadonlyMap<Value, Value>,
  dependent: ReadonlySet<Value>,
  dialect: Dialect,
): readonly (Value | undefined)[] {
  const { op, inputs, outputs, attributes } = node;
  const { gradient: rule, allOutputs } = ops[op] as Op<object>;
  if (rule === "not differentiable") throw new Error(`${op} has no gradient`);
  const given = outputs.map((output) => grads.get(output));
  const known = allOutputs === true ? given.map((grad, i) => grad ?? zerosLike(outputs[i])) : given.slice(0, 1);
  const [grad] = known;
  if (grad === undefined || given.slice(known.length).some((other) => other !== undefined))
    throw new Error(`${op}: a gradient may only come through its first output`);
  const needs = (i: number) => dependent.has(inputs[i]);
  const context = { inputs, outputs, grad, grads: known as Value[], attributes, dialect, needs };
  return grad.graph.inGradientOf(node, () => rule(context));
}

function zerosLike({ graph, shape }: Value): Value {
  return expand(graph.scalar(0), shape);
}

/** Undoes broadcasting: sums over the axes along which `value` was repeated to get the gradient's shape. */
function sumTo(grad: Value, value: Value): Value {
  if (sameShape(grad.shape, value.shape)) return grad;
  const lead = grad.shape.length - value.shape.length;
  const repeated = grad.shape.flatMap((n, axis) =>
    axis < lead || (n !== 1 && value.shape[axis - lead] === 1) ? [axis] : [],
  );
  const summed = reshape(
    sum(grad, repeated, true),
    grad.shape.slice(lead).map((n, i) => (value.shape[i] === 1 ? 1 : n)),
  );
  return expand(summed, value.shape);
}
