import type { Value } from "../graph/graph.ts";
import { encodeGraph, feedName } from "../graph/encode.ts";
import { int32, sameShape, sizeOf, zeros, type Tensor } from "../tensor/tensor.ts";
import { createSession, fromOrt, toOrt, type DeviceTensor, type SessionOptions } from "./ort.ts";
import { canStopCopies, runInto, STOP } from "./results.ts";

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
  const withoutCopies = (options.device ?? "cpu") === "cpu" && (await canStopCopies());
  const encoded = encodeGraph(outputs, {
    initializers: placement === "initializer" ? parameters : undefined,
    emptySequence: withoutCopies ? STOP : undefined,
  });
  const graph = Object.values<Value>(outputs)[0].graph;
  const weights: Record<string, DeviceTensor> = {};
  for (const name of encoded.parameters) {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw new Error(`no weights for parameter ${name}`);
    checkShape(`parameter ${name}`, tensor, graph.parameters.get(name));
    weights[feedName({ kind: "parameter", name })] = toOrt(tensor);
  }
  // last: a session that was made and then dropped would never be freed
  const session = await createSession(encoded.model, options);

  return {
    async run(feeds = {}, into = {}) {
      const given = { ...weights };
      for (const name of encoded.inputs) {
        const tensor = feeds[name];
        if (tensor === undefined) throw new Error(`input ${name} was not fed`);
        checkShape(`input ${name}`, tensor, graph.inputs.get(name));
        given[feedName({ kind: "input", name })] = toOrt(tensor);
      }
      const names = Object.keys(outputs) as K[];
      if (withoutCopies) {
        const results = Object.fromEntries(names.map((name) => [name, into[name] ?? bufferFor(outputs[name])]));
        await runInto(session, given, Object.fromEntries(names.map((name) => [name, toOrt(results[name])])));
        return results as Outputs<K>;
      }
      const fetches = Object.fromEntries(
        names.map((name) => [name, into[name] === undefined ? null : toOrt(into[name])]),
      );
      const results = await session.run(given, fetches);
      return Object.fromEntries(names.map((name) => [name, into[name] ?? fromOrt(results[name])])) as Outputs<K>;
    },
    async release() {
      if (process.env["RPO_PROFILE"] !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

function bufferFor({ dtype, shape }: Value): Tensor {
  return dtype === "float32" ? zeros(shape) : int32(new Int32Array(sizeOf(shape)), shape);
}

function checkShape(what: string, tensor: Tensor, value: Value | undefined): void {
  if (value !== undefined && (!sameShape(tensor.shape, value.shape) || tensor.dtype !== value.dtype))
    throw new Error(
      `${what}: expected ${value.dtype}[${value.shape.join(", ")}], got ${tensor.dtype}[${tensor.shape.join(", ")}]`,
    );
}
