import { readFile, writeFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { Graph, type Value } from "../../src/graph/graph.ts";
import { add, conv2d, mean, mul, swish } from "../../src/graph/ops/index.ts";
import { compileTraining } from "../../src/runtime/training.ts";
import { Random } from "../../src/tensor/random.ts";
import { zeros, type Float32Tensor } from "../../src/tensor/tensor.ts";

const CHANNELS = 8;
const SIDE = 512;
/** One activation: 8 MB. The chain's weights are negligible beside it. */
const ACTIVATION = CHANNELS * SIDE * SIDE * 4;

/** h += swish(w * h) four times a block, cut between blocks. The way back needs each h and w * h: eight a block. */
function chain(blocks: number) {
  const graph = new Graph();
  let h: Value = graph.input("x", [1, CHANNELS, SIDE, SIDE]);
  for (let block = 0; block < blocks; block++) {
    graph.cut();
    for (let layer = 0; layer < 4; layer++) {
      const weight = graph.parameter(`${block}.${layer}`, [CHANNELS, CHANNELS, 1, 1]);
      h = add(h, swish(conv2d(h, weight, undefined)));
    }
  }
  graph.cut();
  return { graph, loss: mean(mul(h, h)) };
}

/** The process's memory at its peak in one step, in activations. */
async function peakOfStep(blocks: number, memory: "normal" | "low"): Promise<number> {
  const { graph, loss } = chain(blocks);
  const rng = new Random(blocks);
  const parameters = new Map<string, Float32Tensor>();
  for (const [name, { shape }] of graph.parameters) parameters.set(name, rng.normal(shape));
  const gradients = new Map([...parameters].map(([name, { shape }]) => [name, zeros(shape)]));
  const x = rng.normal([1, CHANNELS, SIDE, SIDE]);
  const training = await compileTraining({ loss }, { threads: 1, parameters, gradients, memory });
  collectGarbage();
  await writeFile("/proc/self/clear_refs", "5"); // Linux: the peak starts anew from what is resident now
  await training.run({ x });
  const status = await readFile("/proc/self/status", "utf8");
  const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
  await training.release();
  return (peak * 1024) / ACTIVATION;
}

/** V8 frees results that nobody holds when it likes to. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** By how many activations the peak grows with each further block. */
async function growth(memory: "normal" | "low"): Promise<number> {
  const shallow = await peakOfStep(4, memory);
  return ((await peakOfStep(14, memory)) - shallow) / 10;
}

// What needs less comes first: memory that the process has freed but not given back hides what is used of it again.
describe.runIf(process.platform === "linux")("a deep chain's peak memory", () => {
  test("grows with little memory by what crosses the cuts, forward and back", async () => {
    expect(await growth("low")).toBeLessThan(3);
  });

  test("grows by what the way back needs, and no more", async () => {
    const activations = await growth("normal");
    expect(activations).toBeLessThan(9);
    expect(activations).toBeGreaterThan(6); // the measure itself: with less it would see nothing
  });
});
