import { dirname } from "node:path";
import { Graph } from "../graph/graph.ts";
import { ShapeError } from "../graph/op.ts";
import { rootScope, type Scope } from "../nn/scope.ts";
import type { ClipTextConfig } from "../models/clip/config.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import type { VaeConfig } from "../models/vae/config.ts";
import type { Precision } from "../runtime/device.ts";
import { ModelError } from "../system/errors.ts";
import type { Float16Tensor, Float32Tensor, Weight } from "../tensor/tensor.ts";
import { loadHalved, loadParameters, type Expected, type LoadOptions } from "./parameters.ts";
import type { Prediction } from "./prediction.ts";
import { openWeights, type Weights, type WeightsOptions } from "./weights.ts";
import type { Message } from "../system/named-setting.ts";

/** One model of a checkpoint: its configuration is read and its files' headers are checked, its weights come when they are asked for. */
export interface Part<Config> {
  readonly config: Config;
  /** The files with its weights. */
  readonly files: Weights["files"];
  /** Reads the weights; nothing keeps them but the caller. @throws ModelError */
  load(): Promise<Map<string, Float32Tensor>>;
  /** Reads them with matrices and kernels in half precision. @throws ModelError */
  loadHalved(): Promise<Map<string, Weight>>;
}

export interface OpenOptions {
  /** Weights of this variant, such as `fp16`, and no others. By default the plain files, or a variant where there is nothing else. */
  readonly variant?: string | undefined;
  /** What the U-Net's output means. By default what the checkpoint says. */
  readonly prediction?: Prediction | undefined;
  /** A folder or file with another VAE than the checkpoint's. */
  readonly vae?: string | undefined;
  /** Told, in a line each, about tensors that nothing needs, and about what had to be guessed. */
  readonly warn?: (line: Message) => void;
}

/** The models of a pipeline, with headers checked. */
export interface OpenedParts {
  readonly unet: Part<UnetConfig>;
  readonly vae: Part<VaeConfig>;
  /** In the order of the configuration's. */
  readonly texts: readonly Part<ClipTextConfig>[];
}

export interface PartOptions extends LoadOptions {
  readonly stem: WeightsOptions["stem"];
  readonly variant?: WeightsOptions["variant"];
}

/**
 * Opens a model's weights and checks the headers against the parameters that its graph declares.
 *
 * @param expected by {@link parametersOf}; asked once the weights' headers are read
 * @throws ModelError naming the tensors that are missing or have another shape
 */
export async function openPart<Config>(
  folder: string,
  config: Config,
  expected: (held: Held) => readonly Expected[],
  { stem, variant, ...options }: PartOptions,
): Promise<Part<Config>> {
  const weights = await openWeights(folder, { stem, variant });
  return partOf(weights, config, expected({ where: folder, tensors: weights.names.length }), options);
}

/** A part whose weights are open. Errors as with {@link openPart}. */
export async function partOf<Config>(
  weights: Weights,
  config: Config,
  expected: readonly Expected[],
  { warn, ...options }: LoadOptions = {},
): Promise<Part<Config>> {
  const unread: Weights = {
    ...weights,
    read: () => Promise.resolve(NOTHING),
    readHalf: () => Promise.resolve(NO_HALVES),
  };
  await loadParameters(unread, expected, { ...options, ...(warn && { warn }) });
  return {
    config,
    files: weights.files,
    load: () => loadParameters(weights, expected, options),
    loadHalved: () => loadHalved(weights, expected, options),
  };
}

/** Stands for every tensor while only headers are checked. */
const NOTHING: Float32Tensor = { dtype: "float32", shape: [0], data: new Float32Array() };
const NO_HALVES: Float16Tensor = { dtype: "float16", shape: [0], data: new Uint16Array() };

/** A U-Net's weights, as a precision has them. @param adapter of a training: weights that train themselves are float32 */
export function loadFor(
  precision: Precision | undefined,
  part: Pick<Part<UnetConfig>, "load" | "loadHalved">,
  adapter?: "lora" | "full",
): Promise<Map<string, Weight>> {
  const isHalved = precision === "float16" || (precision === "mixed-float16" && adapter !== "full");
  return isHalved ? part.loadHalved() : part.load();
}

/** Where a part's weights are, for messages: their file, or the folder of their files. */
export function whereOf({ files }: Pick<Part<unknown>, "files">): string {
  const [{ path }, ...others] = files;
  return others.length === 0 ? path : dirname(path);
}

/** The weights that a model's parameters are to be found in. */
export interface Held {
  /** The folder or file, for messages. */
  readonly where: string;
  /** How many tensors it holds. */
  readonly tensors: number;
}

/** Six times as many as the largest model that is supported has, SDXL's U-Net. */
const MOST_PARAMETERS = 10_000;

/**
 * Names and shapes of the parameters that a model declares as `build` puts it on a graph.
 *
 * A configuration may ask for millions of layers, whose graph would take minutes and gigabytes. So building ends as soon as there are far
 * more parameters than the weights have tensors: it is certain then that they do not fit.
 *
 * @throws ModelError then, and where the configuration makes no model at all
 */
export function parametersOf(build: (scope: Scope) => void, held?: Held): Expected[] {
  const graph = new Graph();
  // some more, so that weights that lack a few tensors are told which; in one file a tensor may hold three parameters
  const most = Math.min(MOST_PARAMETERS, held === undefined ? Infinity : 3 * held.tensors + 1000);
  const where = held === undefined ? "" : `${held.where}: `;
  try {
    build(
      counted(rootScope(graph), () => {
        if (graph.parameters.size > most)
          throw new ModelError(
            `${where}its config.json implies more than ${most} tensors, but there are ${held?.tensors ?? 0}; are these weights of another model?`,
          );
      }),
    );
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new ModelError(`${where}its config.json describes no model that can be computed: ${error.message}`, {
      cause: error,
    });
  }
  return declaredOn(graph);
}

/** A scope that tells of each parameter. */
function counted(scope: Scope, onParameter: () => void): Scope {
  return {
    graph: scope.graph,
    path: scope.path,
    at: (...names) => counted(scope.at(...names), onParameter),
    parameter(name, shape) {
      const value = scope.parameter(name, shape);
      onParameter();
      return value;
    },
  };
}

export function declaredOn(graph: Graph): Expected[] {
  return [...graph.parameters].map(([name, { shape }]) => ({ name, shape }));
}
