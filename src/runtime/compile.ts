import type { Value } from "../graph/graph.ts";
import { encodeGraph, feedName } from "../graph/encode.ts";
import { int32, sameShape, sizeOf, zeros, type Tensor } from "../tensor/tensor.ts";
import { openOnDevice } from "./device-session.ts";
import { createSession, fromOrt, releaseSession, toOrt, type SessionOptions } from "./ort.ts";
import { canStopCopies, runInto, STOP } from "./results.ts";
import type { Runner } from "./runner.ts";

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
  /**
   * Outputs that stay on the device, written to buffers of the caller that some graph or optimizer holds there. The host's array is out
   * of date until it is fetched. Without effect on a CPU.
   */
  readonly onDevice?: readonly string[];
}

export type Outputs<K extends string> = Readonly<Record<K, Tensor>>;

type Tensors = Readonly<Record<string, Tensor>>;

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
  const { parameters = new Map<string, Tensor>(), placement = "input", device = "cpu" } = options;
  const withoutCopies = device === "cpu" && (await canStopCopies());
  const encoded = encodeGraph(outputs, {
    initializers: placement === "initializer" ? parameters : undefined,
    emptySequence: withoutCopies ? STOP : undefined,
  });
  const graph = Object.values<Value>(outputs)[0].graph;
  const weights: Record<string, Tensor> = {};
  for (const name of encoded.parameters) {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw new Error(`no weights for parameter ${name}`);
    checkShape(`parameter ${name}`, tensor, graph.parameters.get(name));
    weights[feedName({ kind: "parameter", name })] = tensor;
  }
  // last: a session that was made and then dropped would never be freed
  const runner =
    device === "cpu"
      ? await openOnHost(encoded.model, weights, outputs, { ...options, withoutCopies })
      : await openOnDevice(encoded.model, weights, Object.keys(outputs), { ...options, device });

  return {
    async run(feeds = {}, into = {}) {
      const given: Record<string, Tensor> = {};
      for (const name of encoded.inputs) {
        const tensor = feeds[name];
        if (tensor === undefined) throw new Error(`input ${name} was not fed`);
        checkShape(`input ${name}`, tensor, graph.inputs.get(name));
        given[feedName({ kind: "input", name })] = tensor;
      }
      return (await runner.run(given, into)) as Outputs<K>;
    },
    release: () => runner.release(),
  };
}

/** A session on the CPU, whose inputs and outputs are the host's own arrays. */
async function openOnHost(
  model: Uint8Array,
  weights: Tensors,
  outputs: Readonly<Record<string, Value>>,
  { withoutCopies, ...options }: SessionOptions & { readonly withoutCopies: boolean },
): Promise<Runner> {
  const placed = Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, toOrt(tensor)]));
  const session = await createSession(model, options);
  const names = Object.keys(outputs);
  return {
    async run(feeds, into) {
      const given = { ...placed };
      for (const [name, tensor] of Object.entries(feeds)) given[name] = toOrt(tensor);
      if (withoutCopies) {
        const results = Object.fromEntries(names.map((name) => [name, into[name] ?? bufferFor(outputs[name])]));
        await runInto(session, given, Object.fromEntries(names.map((name) => [name, toOrt(results[name])])));
        return results;
      }
      const fetches = Object.fromEntries(
        names.map((name) => [name, into[name] === undefined ? null : toOrt(into[name])]),
      );
      const results = await session.run(given, fetches);
      return Object.fromEntries(names.map((name) => [name, into[name] ?? fromOrt(results[name])]));
    },
    release: () => releaseSession(session),
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
