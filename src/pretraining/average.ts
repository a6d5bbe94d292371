import { Graph } from "../graph/graph.ts";
import { add, mul, sub } from "../graph/ops/index.ts";
import { BACKENDS } from "../runtime/backends/index.ts";
import { compile } from "../runtime/compile.ts";
import { holdTensors } from "../runtime/held.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import { inFloat32, type SessionOptions } from "../runtime/session-options.ts";
import { float32, float32Array, type Float32Tensor } from "../tensor/tensor.ts";

type Weights = ReadonlyMap<string, Float32Tensor>;

/** A running average of weights (EMA), where the weights are. */
export interface RunningAverage extends Resource {
  /** On a device out of date until it is fetched. */
  readonly tensors: Weights;
  /** average = decay · average + (1 - decay) · weights */
  take(decay: number): Promise<void>;
  /** Brings it to the host's arrays. Nothing to do on a CPU. */
  fetch(): Promise<void>;
  /** Sends what was put into the host's arrays. Nothing to do on a CPU. */
  send(): Promise<void>;
}

/**
 * Begins with the weights as they are.
 * @param options.onHost whether the host's arrays are added up; by default where the device's graphs work on them
 */
export function createAverage(
  weights: Weights,
  session: SessionOptions,
  { onHost = BACKENDS[session.device ?? "cpu"].memory.isHost }: { readonly onHost?: boolean } = {},
): Promise<RunningAverage> {
  const tensors = new Map([...weights].map(([name, tensor]) => [name, copyOf(tensor)]));
  return onHost ? Promise.resolve(hostAverage(weights, tensors)) : deviceAverage(weights, tensors, session);
}

function copyOf({ shape, data }: Float32Tensor): Float32Tensor {
  const copy = float32Array(data.length);
  copy.set(data);
  return { dtype: "float32", shape, data: copy };
}

function hostAverage(weights: Weights, tensors: Weights): RunningAverage {
  return {
    tensors,
    take(decay) {
      const rest = 1 - decay;
      for (const [name, { data: mean }] of tensors) {
        const data = weights.get(name)?.data ?? mean;
        for (let i = 0; i < data.length; i++) mean[i] += rest * (data[i] - mean[i]);
      }
      return Promise.resolve();
    },
    fetch: () => Promise.resolve(),
    send: () => Promise.resolve(),
    release: () => Promise.resolve(),
  };
}

/** One graph for all tensors, whose results are written over the averages. */
function deviceAverage(weights: Weights, tensors: Weights, session: SessionOptions): Promise<RunningAverage> {
  const { memory } = BACKENDS[session.device ?? "cpu"];
  const graph = new Graph();
  const rest = graph.input("rest", []);
  const averages = [...tensors].map(([name, { shape }]) => {
    const mean = graph.input(`mean.${name}`, shape);
    return [name, add(mean, mul(sub(graph.input(`weight.${name}`, shape), mean), rest))] as const;
  });
  const named = (kind: string, all: Weights) => Object.fromEntries([...all].map(([name, x]) => [`${kind}.${name}`, x]));
  return assemble(async (own, release) => {
    own(await holdTensors(memory, tensors.values()));
    const compiled = own(await compile<string>(Object.fromEntries(averages), inFloat32(session)));
    const feeds = { ...named("weight", weights), ...named("mean", tensors) };
    const into = Object.fromEntries(tensors);
    return {
      tensors,
      async take(decay) {
        await compiled.run({ ...feeds, rest: float32([1 - decay], []) }, into);
      },
      fetch: () => memory.fetch(tensors.values()),
      send: () => memory.send(tensors.values()),
      release,
    };
  });
}
