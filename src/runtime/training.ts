import { CPU_DIALECT, type Dialect } from "../graph/dialect.ts";
import { gradient } from "../graph/gradient.ts";
import type { Value } from "../graph/graph.ts";
import {
  countUses,
  halvesThatCross,
  parameterGradient,
  splitProgram,
  stagesOf,
  type SegmentGraph,
} from "../graph/segments.ts";
import type { Float32Tensor, Tensor, Weight } from "../tensor/tensor.ts";
import type { StopFlag } from "./backends/backend.ts";
import { BACKENDS } from "./backends/index.ts";
import { beforeReshape } from "./capturable.ts";
import { createAdder, createBufferPool } from "./buffers.ts";
import { compile, type Compiled, type CompileOptions, type Parameters } from "./compile.ts";
import { assemble } from "./resources.ts";

/** A loss, what else a step reports, and the gradients of the trained parameters. */
export interface TrainingGraph {
  /**
   * Compute the results for `feeds`, and write the trained parameters' gradients to the buffers given at compilation. With a dialect in half
   * precision the gradients are those of the loss times `LOSS_SCALE`, which is fed too.
   * @param stop ends the run before its time, with gradients undefined
   * @throws Stopped
   */
  run(feeds: Readonly<Record<string, Tensor>>, stop?: StopFlag): Promise<Readonly<Record<string, Tensor>>>;
  /** Gives up the buffers that it keeps from run to run, which the next one makes anew: for when another graph has its turn. */
  rest(): void;
  release(): Promise<void>;
}

export interface TrainingOptions extends CompileOptions {
  readonly parameters: Parameters;
  /** Where gradients go, by parameter: these are the trained ones. */
  readonly gradients: ReadonlyMap<string, Float32Tensor>;
  /** "low" holds only what crosses the program's cuts and computes the rest again on the way back. */
  readonly memory?: "normal" | "low";
}

type Results = Readonly<Record<string, Value>> & { readonly loss: Value };

/** Compiles a program with its gradients. @param results by name; `loss` is differentiated */
export async function compileTraining(results: Results, options: TrainingOptions): Promise<TrainingGraph> {
  const trained = [...options.gradients.keys()].map((name) => {
    const value = results.loss.graph.parameters.get(name);
    if (value === undefined) throw new Error(`the loss has no parameter ${name}`);
    return value;
  });
  return options.memory === "low"
    ? compileSegments(results, trained, options)
    : compileWhole(results, trained, options);
}

async function compileWhole(
  results: Results,
  trained: readonly Value[],
  options: TrainingOptions,
): Promise<TrainingGraph> {
  const grads = gradient(results.loss, trained, dialectOf(options));
  const names = [...options.gradients.keys()];
  const outputs: Record<string, Value> = {};
  const into: Record<string, Tensor> = {};
  names.forEach((name, i) => {
    const grad = beforeReshape(grads[i]);
    const buffer = options.gradients.get(name);
    if (buffer === undefined) throw new Error(`no buffer for the gradient of ${name}`);
    outputs[parameterGradient(name)] = grad;
    into[parameterGradient(name)] = { ...buffer, shape: grad.shape };
  });
  const compiled = await compile<string>({ ...outputs, ...results }, { ...options, capturedAfter: 0 });
  return {
    run: (feeds, stop) => compiled.run(feeds, into, stop),
    rest: () => undefined,
    release: () => compiled.release(),
  };
}

interface Stage {
  readonly graph: SegmentGraph;
  readonly compiled: Compiled<string>;
}

/**
 * Sessions for each stretch between cuts: forward through all of them, then backward, each stretch computed again. What crosses a cut
 * lies in buffers that are used again as soon as its last reader is done, so that the peak is the program's and not the garbage
 * collector's.
 */
async function compileSegments(
  results: Results,
  trained: readonly Value[],
  options: TrainingOptions,
): Promise<TrainingGraph> {
  return assemble(async (own, release) => {
    const stages: Stage[] = [];
    // each stretch would keep a workspace of its own
    const dialect = withLittleMemory(options);
    const isHalf = ([, { dtype }]: readonly [string, { readonly dtype: string }]) => dtype === "float16";
    const halves = new Set([...options.parameters].filter(isHalf).map(([name]) => name));
    const crossing = halvesThatCross(results, dialect, halves);
    const session = { ...options, dialect, crossing, workspace: "returned" } as const;
    for (const graph of stagesOf(splitProgram(results, trained, dialect)))
      stages.push({ graph, compiled: own(await compile(graph.outputs, session)) });
    const pool = own(createBufferPool(options));
    const adder = own(createAdder(options));

    return {
      async run(feeds, stop) {
        const remaining = countUses(stages.map(({ graph }) => graph));
        const held = new Map<string, Weight>();
        const written = new Set<string>();
        const out: Record<string, Tensor> = {};
        for (const { graph, compiled } of stages) {
          const given: Record<string, Tensor | Weight> = {};
          for (const name of graph.inputs) given[name] = feeds[name];
          for (const name of graph.crossing) {
            const tensor = held.get(name);
            if (tensor === undefined) throw new Error(`${name} was needed before it was computed`);
            given[name] = tensor;
          }
          // the first of a value's gradients is written where it belongs, later ones are added
          const into: Record<string, Weight> = {};
          const sums = new Map<Weight, Weight | undefined>();
          for (const [name, { shape }] of Object.entries(graph.outputs)) {
            if (name in results) continue;
            const own = gradientBuffer(name, options);
            if (!written.has(name) && own !== undefined) into[name] = { ...own, shape };
            else {
              const taken = (into[name] = pool.take(shape, crossing.has(name) ? "float16" : "float32"));
              if (written.has(name)) sums.set(taken, own ?? held.get(name));
              else held.set(name, taken);
            }
            written.add(name);
          }
          const computed = await compiled.run(given, into, stop);
          for (const [addend, sum] of sums) {
            if (sum !== undefined) await adder.add(sum, addend);
            pool.give(addend);
          }
          for (const name of Object.keys(graph.outputs)) if (name in results) out[name] = computed[name];
          for (const name of graph.crossing) remaining.set(name, (remaining.get(name) ?? 0) - 1);
          for (const [name, tensor] of held)
            if ((remaining.get(name) ?? 0) <= 0) {
              held.delete(name);
              pool.give(tensor);
            }
        }
        const missed = [...options.gradients].flatMap(([name, own]) =>
          written.has(parameterGradient(name)) ? [] : [own],
        );
        for (const { data } of missed) data.fill(0);
        await BACKENDS[options.device ?? "cpu"].memory.send(missed);
        return out;
      },
      rest: () => pool.drain(),
      release,
    };
  });
}

function dialectOf({ dialect, device = "cpu" }: TrainingOptions): Dialect {
  return dialect ?? BACKENDS[device].dialect;
}

/** The device's dialect, but attention holds as little as on a CPU. */
function withLittleMemory(options: TrainingOptions): Dialect {
  return { ...dialectOf(options), attentionScores: CPU_DIALECT.attentionScores };
}

/** Where the output of a stretch belongs if it is the gradient of a trained parameter. */
function gradientBuffer(output: string, { gradients }: TrainingOptions): Float32Tensor | undefined {
  return output.startsWith(parameterGradient(""))
    ? gradients.get(output.slice(parameterGradient("").length))
    : undefined;
}
