import type { Graph, Value } from "../graph/graph.ts";
import type { Shape } from "../tensor/tensor.ts";

/**
 * Where a model function finds its parameters: a path in the checkpoint's own names, on a graph.
 *
 * @example
 * const block = scope.at("down_blocks", 0, "resnets", 1);
 * block.parameter("conv1.weight", [320, 320, 3, 3]); // down_blocks.0.resnets.1.conv1.weight
 */
export interface Scope {
  readonly graph: Graph;
  readonly path: string;
  /** The scope below this one. */
  at(...names: readonly (string | number)[]): Scope;
  /** A weight of this scope. */
  parameter(name: string, shape: Shape): Value;
  /** The low-rank adapter of the linear layer at this scope, where it has one. */
  adapter?(inFeatures: number, outFeatures: number): Adapter | undefined;
  /** What the linear layer at this scope gives, [..., out], where that is more than what it computes. */
  output?(y: Value): Value;
}

/** y += scale · up · down · x. */
export interface Adapter {
  /** [rank, in] */
  readonly down: Value;
  /** [out, rank] */
  readonly up: Value;
  readonly scale: number;
}

/** The root scope of a model. `prefix` tells models on one graph apart, e.g. a frozen copy; it is part of the parameters' names. */
export function rootScope(graph: Graph, prefix = ""): Scope {
  return scopeAt(graph, prefix);
}

function scopeAt(graph: Graph, path: string): Scope {
  return {
    graph,
    path,
    at: (...names) => scopeAt(graph, join(path, ...names)),
    parameter: (name, shape) => graph.parameter(join(path, name), shape),
  };
}

export function join(...parts: readonly (string | number)[]): string {
  return parts.filter((part) => part !== "").join(".");
}
