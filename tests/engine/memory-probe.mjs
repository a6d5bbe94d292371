// node memory-probe.mjs BLOCKS normal|low: prints the memory's peak in steps of training a deep chain, in activations of the chain.
import { readFileSync, writeFileSync } from "node:fs";
import { Graph } from "../../dist/graph/graph.js";
import { add, conv2d, mean, mul, swish } from "../../dist/graph/ops/index.js";
import { compileTraining } from "../../dist/runtime/training.js";
import { Random } from "../../dist/tensor/random.js";
import { zeros } from "../../dist/tensor/tensor.js";

const CHANNELS = 8;
const SIDE = 512;
/** One activation: 8 MB. The chain's weights are negligible beside it. */
const ACTIVATION = CHANNELS * SIDE * SIDE * 4;
const STEPS = 3;

const blocks = Number(process.argv[2]);
const memory = process.argv[3];

// h += swish(w * h) four times a block, cut between blocks: the way back needs each h and w * h, eight a block
const graph = new Graph();
let h = graph.input("x", [1, CHANNELS, SIDE, SIDE]);
for (let block = 0; block < blocks; block++) {
  graph.cut();
  for (let layer = 0; layer < 4; layer++) {
    const weight = graph.parameter(`${block}.${layer}`, [CHANNELS, CHANNELS, 1, 1]);
    h = add(h, swish(conv2d(h, weight, undefined)));
  }
}
graph.cut();
const loss = mean(mul(h, h));

const rng = new Random(blocks);
const parameters = new Map([...graph.parameters].map(([name, { shape }]) => [name, rng.normal(shape)]));
const gradients = new Map([...parameters].map(([name, { shape }]) => [name, zeros(shape)]));
const training = await compileTraining({ loss }, { threads: 1, parameters, gradients, memory });
const x = rng.normal([1, CHANNELS, SIDE, SIDE]);
writeFileSync("/proc/self/clear_refs", "5"); // Linux: the peak starts anew from what is resident now
for (let step = 0; step < STEPS; step++) await training.run({ x });
const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
console.log((peak * 1024) / ACTIVATION);
