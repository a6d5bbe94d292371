import { Graph } from "../graph/graph.ts";
import { rootScope, type Scope } from "../nn/scope.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { loadParameters, type Expected, type LoadOptions } from "./parameters.ts";
import { openWeights, type Weights, type WeightsOptions } from "./weights.ts";

/** One model of a checkpoint: its configuration is read and its files' headers are checked, its weights come when they are asked for. */
export interface Part<Config> {
  readonly config: Config;
  /** The files with its weights. */
  readonly files: Weights["files"];
  /** Reads the weights; nothing keeps them but the caller. @throws ModelError */
  load(): Promise<Map<string, Float32Tensor>>;
}

export interface PartOptions extends LoadOptions {
  readonly stem: WeightsOptions["stem"];
  readonly variant?: WeightsOptions["variant"];
}

/**
 * Opens a model's weights and checks the headers against the parameters that its graph declares.
 *
 * @param expected from {@link parametersOf}
 * @throws ModelError naming the tensors that are missing or have another shape
 */
export async function openPart<Config>(
  folder: string,
  config: Config,
  expected: readonly Expected[],
  { stem, variant, ...options }: PartOptions,
): Promise<Part<Config>> {
  return partOf(await openWeights(folder, { stem, variant }), config, expected, options);
}

/** A part whose weights are open. Errors as with {@link openPart}. */
export async function partOf<Config>(
  weights: Weights,
  config: Config,
  expected: readonly Expected[],
  { warn, ...options }: LoadOptions = {},
): Promise<Part<Config>> {
  const unread: Weights = { ...weights, read: () => Promise.resolve(NOTHING) };
  await loadParameters(unread, expected, { ...options, ...(warn && { warn }) });
  return { config, files: weights.files, load: () => loadParameters(weights, expected, options) };
}

/** Stands for every tensor while only headers are checked. */
const NOTHING: Float32Tensor = { dtype: "float32", shape: [0], data: new Float32Array() };

/** Names and shapes of the parameters that a model declares as `build` puts it on a graph. */
export function parametersOf(build: (scope: Scope) => void): Expected[] {
  const graph = new Graph();
  build(rootScope(graph));
  return declaredOn(graph);
}

export function declaredOn(graph: Graph): Expected[] {
  return [...graph.parameters].map(([name, { shape }]) => ({ name, shape }));
}
