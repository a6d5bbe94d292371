import type { Dialect } from "../graph/dialect.ts";
import type { Value } from "../graph/graph.ts";
import { encodeGraph, feedName } from "../graph/encode.ts";
import { int32, sameShape, sizeOf, zeros, type HostTensor, type Tensor } from "../tensor/tensor.ts";
import type { StopFlag } from "./backends/backend.ts";
import { BACKENDS } from "./backends/index.ts";
import { capturable } from "./capturable.ts";
import { holdTensors } from "./held.ts";
import { assemble } from "./resources.ts";
import type { SessionOptions } from "./session-options.ts";
import { inTurn } from "./turns.ts";

/**
 * Weights by name. One copy in host memory serves every graph, and an update is seen by all of them at once. Those in half precision are
 * cast to float32 where they are used.
 */
export type Parameters = ReadonlyMap<string, HostTensor>;

export interface CompileOptions extends SessionOptions {
  /** The weights that the graph names. */
  readonly parameters?: Parameters;
  /**
   * "input" (the default) feeds weights at every run from the one copy in host memory. "initializer" stores a second copy in the
   * session, laid out for the processor: faster where weights never change and are small.
   */
  readonly placement?: "input" | "initializer";
  /** Inputs and outputs in half precision. Such an output is written to the buffer that is given for it. */
  readonly crossing?: ReadonlySet<string> | undefined;
  /** How the graph is said; as the device has it when absent. */
  readonly dialect?: Dialect | undefined;
}

export type Outputs<K extends string> = Readonly<Record<K, Tensor>>;

/** A graph that is ready to run. */
export interface Compiled<K extends string> {
  /**
   * Computes the outputs.
   * @param feeds every input of the graph by name
   * @param into buffers to write outputs to: may be the very tensors that are fed, where each element only depends on its own. One that
   * the device's memory holds is written there, and the host's array is out of date until it is fetched
   * @param stop ends the run before its time, with nothing computed
   * @throws Error when a feed is missing or has another shape; Stopped
   */
  run(
    feeds?: Readonly<Record<string, HostTensor>>,
    into?: Partial<Record<K, HostTensor>>,
    stop?: StopFlag,
  ): Promise<Outputs<K>>;
  /** Frees the session. */
  release(): Promise<void>;
}

/** Compiles the part of a graph that `outputs` need. */
export async function compile<K extends string>(
  outputs: Readonly<Record<K, Value>>,
  options: CompileOptions,
): Promise<Compiled<K>> {
  const { parameters = new Map<string, HostTensor>(), placement = "input", device = "cpu", crossing } = options;
  const backend = BACKENDS[device];
  const halves = new Set([...parameters].filter(([, { dtype }]) => dtype === "float16").map(([name]) => name));
  const isCaptured = options.capturedAfter !== undefined && backend.captures?.() === true;
  const captured = isCaptured ? capturable(outputs) : undefined;
  const encoded = encodeGraph(captured ?? outputs, {
    initializers: placement === "initializer" ? parameters : undefined,
    halves,
    crossing,
    dialect: options.dialect ?? backend.dialect,
  });
  const graph = Object.values<Value>(outputs)[0].graph;
  const weights = new Map<string, HostTensor>();
  for (const name of encoded.parameters) {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw new Error(`no weights for parameter ${name}`);
    checkShape(`parameter ${name}`, tensor, graph.parameters.get(name));
    weights.set(name, tensor);
  }
  return assemble(async (own, release) => {
    own(await holdTensors(backend.memory, weights.values()));
    // last: a session that was made and then dropped would never be freed
    const { halves, castsAgain } = encoded;
    const session = own(
      await backend.open(encoded.model, {
        ...options,
        halves,
        castsAgain,
        capturedAfter: captured && options.capturedAfter,
      }),
    );
    for (const [name, tensor] of weights) session.input(feedName({ kind: "parameter", name }), tensor);
    const names = Object.keys(outputs) as K[];
    return {
      async run(feeds = {}, into = {}, stop) {
        const given = encoded.inputs.map((name) => {
          const tensor = feeds[name];
          if (tensor === undefined) throw new Error(`input ${name} was not fed`);
          checkShape(`input ${name}`, tensor, graph.inputs.get(name), crossing?.has(name) ?? false);
          return [feedName({ kind: "input", name }), tensor] as const;
        });
        return inTurn(async () => {
          for (const [name, tensor] of given) session.input(name, tensor);
          const results = names.map((name) => [name, into[name] ?? bufferFor(outputs[name])] as const);
          for (const [name, tensor] of results)
            session.output(name, captured === undefined ? tensor : { ...tensor, shape: captured[name].shape });
          await session.run(stop);
          return Object.fromEntries(results) as Outputs<K>; // those in half precision are the caller's own
        });
      },
      release,
    };
  });
}

function bufferFor({ dtype, shape }: Value): Tensor {
  return dtype === "float32" ? zeros(shape) : int32(new Int32Array(sizeOf(shape)), shape);
}

/** A weight may be in half precision, what crosses from session to session is. */
function checkShape(what: string, { dtype, shape }: HostTensor, value: Value | undefined, crosses?: boolean): void {
  if (value === undefined) return;
  const expected = crosses === true ? "float16" : value.dtype;
  const fits = dtype === expected || (crosses === undefined && dtype === "float16" && expected === "float32");
  if (!sameShape(shape, value.shape) || !fits)
    throw new Error(`${what}: expected ${expected}[${value.shape.join(", ")}], got ${dtype}[${shape.join(", ")}]`);
}
