// node half-probe.mjs LAYERS float32|float16: prints the memory's peak in steps of training through a chain of frozen weights, in float32 weights.
import { readFileSync, writeFileSync } from "node:fs";
import { Graph } from "../../dist/graph/graph.js";
import { matmul, mean, mul } from "../../dist/graph/ops/index.js";
import { compileTraining } from "../../dist/runtime/training.js";
import { toHalf } from "../../dist/tensor/half.js";
import { Random } from "../../dist/tensor/random.js";
import { zeros } from "../../dist/tensor/tensor.js";

/** One weight: 9 MB. Activations are negligible beside it. */
const FEATURES = 1500;
const STEPS = 3;

const layers = Number(process.argv[2]);
const isHalf = process.argv[3] === "float16";

// the way back reads each weight again
const graph = new Graph();
let h = mul(graph.input("x", [1, FEATURES]), graph.parameter("scale", [FEATURES]));
for (let layer = 0; layer < layers; layer++) h = matmul(h, graph.parameter(`${layer}`, [FEATURES, FEATURES]));
const loss = mean(mul(h, h));

const rng = new Random(0);
const weights = [...graph.parameters].map(([name, { shape }]) => {
  const drawn = rng.normal(shape);
  return [name, isHalf && shape.length > 1 ? toHalf(drawn) : drawn];
});
const gradients = new Map([["scale", zeros([FEATURES])]]);
const training = await compileTraining({ loss }, { threads: 1, parameters: new Map(weights), gradients });
const x = rng.normal([1, FEATURES]);
globalThis.gc();
globalThis.gc(); // what weights were drawn in
writeFileSync("/proc/self/clear_refs", "5"); // Linux: the peak starts anew from what is resident now
for (let step = 0; step < STEPS; step++) await training.run({ x });
const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
console.log((peak * 1024) / (FEATURES * FEATURES * 4));
