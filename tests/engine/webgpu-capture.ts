import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Graph } from "../../src/graph/graph.ts";
import { exp, mul } from "../../src/graph/ops/index.ts";
import { BACKENDS } from "../../src/runtime/backends/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { feeds, valuesOf, withGradients, type GradientCase } from "./gradient-check.ts";
import { some } from "../thorough.ts";
import { cases, CPU_ONLY } from "./op-cases.ts";
import { createTinyTrainer, feedsOf } from "./tiny-training.ts";

/** A program: compares graphs that are captured with those that are not, and prints {@link Captured} as JSON. */

export interface Captured {
  /** Of steps with other pictures each and AdamW's updates between them: losses, norms and the last moments, by whether graphs were captured. */
  readonly steps: Readonly<Record<"on" | "off", readonly number[]>>;
  /** Nodes of the training's graph that were gone through in all these steps, by the engine's own profile. */
  readonly nodes: Readonly<Record<"on" | "off", number>>;
  /** Cases of ops that differ in a bit in one of two runs; of a quarter of the ops, of all with RPO_TESTS=all. */
  readonly ops: readonly string[];
  /** How far the process's memory has grown in later rounds of sessions that capture and are released, in bytes. */
  readonly growth: number;
  /** Tensors left on the device. */
  readonly held: number;
}

const STEPS = 3;

/** With graphs captured, or not. */
async function withCapture<T>(capture: "on" | "off", work: () => Promise<T>): Promise<T> {
  process.env["RPO_GRAPH_CAPTURE"] = capture;
  try {
    return await work();
  } finally {
    delete process.env["RPO_GRAPH_CAPTURE"];
  }
}

async function train(): Promise<number[]> {
  const trainer = await createTinyTrainer({ device: "webgpu", adapter: "lora", memory: "normal", side: 8 });
  const numbers = [];
  for (let step = 1; step <= STEPS; step++) {
    const { curves, gradNorm } = await trainer.step(feedsOf(step, 8));
    numbers.push(...Object.values(curves).flatMap((values) => [...values]), gradNorm);
  }
  await trainer.optimizer.fetch();
  for (const { data } of trainer.optimizer.moments.second.values()) numbers.push(...data);
  await trainer.release();
  return numbers;
}

/** Of the session that ran most. */
async function countNodes<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly nodes: number }> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-profile-"));
  process.env["RPO_PROFILE"] = join(folder, "profile");
  const result = await work();
  delete process.env["RPO_PROFILE"];
  let nodes = 0;
  for (const file of await readdir(folder)) {
    const events = JSON.parse(await readFile(join(folder, file), "utf8")) as { cat: string; name: string }[];
    nodes = Math.max(nodes, events.filter(({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time")).length);
  }
  await rm(folder, { recursive: true });
  return { result, nodes };
}

/** The value and all gradients of a case, of two runs with other inputs. */
async function resultsOf(each: GradientCase): Promise<Tensor[]> {
  const rng = new Random(1);
  const { outputs } = withGradients(each, rng, BACKENDS.webgpu.dialect);
  const compiled = await compile(outputs, { threads: 1, device: "webgpu", capturedAfter: 0 });
  const results = [];
  for (let run = 0; run < 2; run++) results.push(...Object.values(await compiled.run(feeds(valuesOf(each, rng)))));
  await compiled.release();
  return results;
}

async function differingOps(): Promise<string[]> {
  const differing: string[] = [];
  const here = Object.entries(cases).filter(([name]) => !CPU_ONLY.has(name));
  for (const [name, list] of some(here, 4))
    for (const [i, each] of list.entries()) {
      const [on, off] = [
        await withCapture("on", () => resultsOf(each)),
        await withCapture("off", () => resultsOf(each)),
      ];
      const isSame = on.every(({ data }, k) => data.every((x, j) => Object.is(x, off[k].data[j])));
      if (!isSame) differing.push(`${name} ${i}`);
    }
  return differing;
}

/** Each holds some 4 MB of values while it is there. */
async function growth(): Promise<number> {
  const graph = new Graph();
  let y = graph.input("x", [256, 256]);
  for (let i = 0; i < 16; i++) y = exp(mul(y, 0.5));
  const x = new Random(1).normal(y.shape);
  const round = async () => {
    for (let i = 0; i < 100; i++) {
      const compiled = await compile({ y }, { threads: 1, device: "webgpu", capturedAfter: 0 });
      for (let run = 0; run < 2; run++) await compiled.run({ x });
      await compiled.release();
    }
  };
  await round();
  const before = process.memoryUsage().rss;
  await round();
  return process.memoryUsage().rss - before;
}

const on = await countNodes(() => withCapture("on", train));
const off = await countNodes(() => withCapture("off", train));
const captured: Captured = {
  steps: { on: on.result, off: off.result },
  nodes: { on: on.nodes, off: off.nodes },
  ops: await differingOps(),
  growth: await withCapture("on", growth),
  held: BACKENDS.webgpu.memory.held,
};
process.stdout.write(JSON.stringify(captured));
