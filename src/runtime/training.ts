import { gradient } from "../graph/gradient.ts";
import type { Value } from "../graph/graph.ts";
import { parameterGradient, splitProgram, type SegmentGraph } from "../graph/segments.ts";
import type { Float32Tensor, Tensor } from "../tensor/tensor.ts";
import { compile, type Compiled, type CompileOptions, type Parameters } from "./compile.ts";

/** A loss, what else a step reports, and the gradients of the trained parameters. */
export interface TrainingGraph {
  /** Compute the results for `feeds`, and write the trained parameters' gradients to the buffers given at compilation. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
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
  const grads = gradient(results.loss, trained);
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
  const compiled = await compile<string>({ ...outputs, ...results }, options);
  return { run: (feeds) => compiled.run(feeds, into), release: () => compiled.release() };
}

/** The same elements, in the shape in which they were computed: into a buffer of the caller's, ONNX Runtime's reshape is a copy. */
function beforeReshape(value: Value): Value {
  const { source } = value;
  return source.kind === "node" && source.node.op === "reshape" ? beforeReshape(source.node.inputs[0]) : value;
}

interface Stage {
  readonly graph: SegmentGraph;
  readonly compiled: Compiled<string>;
}

/** Sessions for each stretch between cuts: forward through all of them, then backward, each stretch computed again. */
async function compileSegments(
  results: Results,
  trained: readonly Value[],
  options: TrainingOptions,
): Promise<TrainingGraph> {
  const stage = async (graph: SegmentGraph): Promise<Stage> => ({
    graph,
    // each stretch would keep a workspace of its own
    compiled: await compile(graph.outputs, { ...options, workspace: "returned" }),
  });
  const forward: Stage[] = [];
  const backward: Stage[] = [];
  for (const segment of splitProgram(results, trained)) {
    if (Object.keys(segment.forward.outputs).length > 0) forward.push(await stage(segment.forward));
    if (segment.backward !== undefined) backward.unshift(await stage(segment.backward));
  }
  const stages = [...forward, ...backward];

  return {
    async run(feeds) {
      const remaining = countUses(stages);
      const held = new Map<string, Tensor>();
      const out: Record<string, Tensor> = {};
      for (const { data } of options.gradients.values()) data.fill(0);
      for (const { graph, compiled } of stages) {
        const given: Record<string, Tensor> = {};
        for (const name of graph.inputs) given[name] = feeds[name];
        for (const name of graph.crossing) {
          const tensor = held.get(name);
          if (tensor === undefined) throw new Error(`${name} was needed before it was computed`);
          given[name] = tensor;
          const uses = (remaining.get(name) ?? 1) - 1;
          remaining.set(name, uses);
          if (uses === 0) held.delete(name);
        }
        const computed = await compiled.run(given);
        for (const [name, tensor] of Object.entries(computed)) {
          if (name in results) out[name] = tensor;
          else if (name.startsWith("grad:")) addInto(options.gradients.get(name.slice(5)), tensor);
          else if (held.has(name)) addInto(held.get(name), tensor);
          else if (remaining.has(name)) held.set(name, tensor);
        }
      }
      return out;
    },
    async release() {
      for (const { compiled } of stages) await compiled.release();
    },
  };
}

/** How often each crossing value is read in one run, so that it can be let go after the last time. */
function countUses(stages: readonly Stage[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { graph } of stages) for (const name of graph.crossing) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

function addInto(sum: Tensor | undefined, tensor: Tensor): void {
  if (sum === undefined) return;
  for (let i = 0; i < sum.data.length; i++) sum.data[i] += tensor.data[i];
}
