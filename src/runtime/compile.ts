import type { Value } from "../graph/graph.ts";
import { encodeGraph, feedName } from "../graph/encode.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sameShape } from "../tensor/tensor.ts";
import { createSession, fromOrt, toOrt, type DeviceTensor, type SessionOptions } from "./ort.ts";

/** Weights by name. One copy in host memory serves every graph, and an update is seen by all of them at once. */
export type Parameters = ReadonlyMap<string, Tensor>;

export interface CompileOptions extends SessionOptions {
  /** The weights that the graph names. */
  readonly parameters?: Parameters;
  /**
   * "input" (the default) feeds weights at every run from the one copy in host memory. "initializer" stores a second copy in the
   * session, laid out for the processor: faster where weights never change and are small.
   */
  readonly placement?: "input" | "initializer";
}

export type Outputs<K extends string> = Readonly<Record<K, Tensor>>;

/** A graph that is ready to run. */
export interface Compiled<K extends string> {
  /**
   * Computes the outputs.
   * @param feeds every input of the graph by name
   * @param into buffers to write outputs to: may be the very tensors that are fed, where each element only depends on its own
   * @throws Error when a feed is missing or has another shape
   */
  run(feeds?: Readonly<Record<string, Tensor>>, into?: Partial<Record<K, Tensor>>): Promise<Outputs<K>>;
  /** Frees the session. */
  release(): Promise<void>;
}

/** Compiles the part of a graph that `outputs` need. */
export async function compile<K extends string>(
  outputs: Readonly<Record<K, Value>>,
  options: CompileOptions,
): Promise<Compiled<K>> {
  const { parameters = new Map<string, Tensor>(), placement = "input" } = options;
  const encoded = encodeGraph(outputs, placement === "initializer" ? parameters : undefined);
  const session = await createSession(encoded.model, options);
  const graph = Object.values<Value>(outputs)[0].graph;
  const weights: Record<string, DeviceTensor> = {};
  for (const name of encoded.parameters) {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw new Error(`no weights for parameter ${name}`);
    checkShape(`parameter ${name}`, tensor, graph.parameters.get(name));
    weights[feedName({ kind: "parameter", name })] = toOrt(tensor);
  }

  return {
    async run(feeds = {}, into = {}) {
      const given = { ...weights };
      for (const name of encoded.inputs) {
        const tensor = feeds[name];
        if (tensor === undefined) throw new Error(`input ${name} was not fed`);
        checkShape(`input ${name}`, tensor, graph.inputs.get(name));
        given[feedName({ kind: "input", name })] = toOrt(tensor);
      }
      const fetches: Record<string, DeviceTensor | null> = {};
      for (const name of Object.keys(outputs) as K[]) {
        const buffer: Tensor | undefined = into[name];
        fetches[name] = buffer === undefined ? null : toOrt(buffer);
      }
      const results = await session.run(given, fetches);
      const out: Partial<Record<K, Tensor>> = {};
      for (const name of Object.keys(outputs) as K[]) out[name] = into[name] ?? fromOrt(results[name]);
      return out as Outputs<K>;
    },
    async release() {
      if (process.env["RPO_PROFILE"] !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

function checkShape(what: string, tensor: Tensor, value: Value | undefined): void {
  if (value !== undefined && (!sameShape(tensor.shape, value.shape) || tensor.dtype !== value.dtype))
    throw new Error(
      `${what}: expected ${value.dtype}[${value.shape.join(", ")}], got ${tensor.dtype}[${tensor.shape.join(", ")}]`,
    );
}
