import { Graph } from "../../graph/graph.ts";
import { conv2d, matmul, mean } from "../../graph/ops/index.ts";
import { compile } from "../compile.ts";
import type { Device } from "../device.ts";
import { Random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What a U-Net of Stable Diffusion mostly does at 64 x 64: 3 x 3 convolutions of 320 channels, and products with a feed-forward layer's weights. */
const [CHANNELS, SIDE, WIDE] = [320, 64, 2560];

/**
 * The engine's speed on the CPU: a convolution and a product of 4096 positions with 320 x 2560 weights, in one graph.
 * @returns GFLOP/s, the median over about `seconds`
 */
export async function measureSpeed(threads: number, seconds = 2): Promise<number> {
  const graph = new Graph();
  const pixels = graph.input("pixels", [1, CHANNELS, SIDE, SIDE]);
  const rows = graph.input("rows", [SIDE * SIDE, CHANNELS]);
  const kernel = graph.parameter("kernel", [CHANNELS, CHANNELS, 3, 3]);
  const weights = graph.parameter("weights", [CHANNELS, WIDE]);
  const rng = new Random(0);
  const compiled = await compile(
    { convolution: conv2d(pixels, kernel, undefined, { padding: 1 }), product: matmul(rows, weights) },
    {
      threads,
      parameters: new Map([
        ["kernel", rng.normal(kernel.shape)],
        ["weights", rng.normal(weights.shape)],
      ]),
    },
  );
  const flop = 2 * SIDE * SIDE * CHANNELS * (CHANNELS * 9 + WIDE);
  try {
    const feeds = { pixels: rng.normal(pixels.shape), rows: rng.normal(rows.shape) };
    return flop / (await medianSeconds(() => compiled.run(feeds), seconds)) / 1e9;
  } finally {
    await compiled.release();
  }
}

/** Work of growing size: GPUs differ by a factor of ten thousand, those that a processor pretends to be among them. */
const WORKS = [
  { side: 16, layers: 1, seconds: 0.2 },
  { side: SIDE, layers: 1, seconds: 0.3 },
  { side: SIDE, layers: 8, seconds: 1.5 },
] as const;
/** Work that takes longer is enough to measure by. */
const LONG_SECONDS = 0.25;

/**
 * The speed of a GPU on the same kinds of work, several layers of it in one graph whose outputs are two numbers, so that next to nothing is copied.
 * @returns GFLOP/s, after about two seconds
 */
export async function measureGpu(device: Device): Promise<number> {
  let gigaflops = 0;
  for (const { side, layers, seconds } of WORKS) {
    const { flop, median } = await measureLayers({ device, side, layers, seconds });
    gigaflops = flop / median / 1e9;
    if (median > LONG_SECONDS) break;
  }
  return gigaflops;
}

interface Layers {
  readonly device: Device;
  readonly side: number;
  readonly layers: number;
  readonly seconds: number;
}

async function measureLayers({ device, side, layers, seconds }: Layers) {
  const graph = new Graph();
  const pixels = graph.input("pixels", [1, CHANNELS, side, side]);
  const rows = graph.input("rows", [side * side, CHANNELS]);
  const parameters = new Map<string, Tensor>();
  const rng = new Random(0);
  const weights = (name: string, shape: readonly number[], inputs: number) => {
    // such that numbers stay of the same size from layer to layer
    const tensor = rng.normal(shape);
    tensor.data.forEach((value, i) => (tensor.data[i] = value / Math.sqrt(inputs)));
    parameters.set(name, tensor);
    return graph.parameter(name, shape);
  };
  const kernel = weights("kernel", [CHANNELS, CHANNELS, 3, 3], CHANNELS * 9);
  const [into, out] = [weights("into", [CHANNELS, WIDE], CHANNELS), weights("out", [WIDE, CHANNELS], WIDE)];
  let [convolved, multiplied] = [pixels, rows];
  for (let layer = 0; layer < layers; layer++) {
    convolved = conv2d(convolved, kernel, undefined, { padding: 1 });
    multiplied = matmul(matmul(multiplied, into), out);
  }
  const outputs = { convolution: mean(convolved), product: mean(multiplied) };
  const compiled = await compile(outputs, { threads: 1, device, parameters });
  const flop = layers * 2 * side * side * CHANNELS * (CHANNELS * 9 + 2 * WIDE);
  try {
    const feeds = { pixels: rng.normal(pixels.shape), rows: rng.normal(rows.shape) };
    return { flop, median: await medianSeconds(() => compiled.run(feeds), seconds) };
  } finally {
    await compiled.release();
  }
}

/** How long work takes once it is warm, at least three times. */
async function medianSeconds(run: () => Promise<unknown>, seconds: number): Promise<number> {
  await run();
  const times: number[] = [];
  for (const begun = performance.now(); performance.now() - begun < seconds * 1000 || times.length < 3;) {
    const started = performance.now();
    await run();
    times.push((performance.now() - started) / 1000);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}
