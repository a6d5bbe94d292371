import { Graph } from "../graph/graph.ts";
import { conv2d, matmul } from "../graph/ops/index.ts";
import { compile } from "../runtime/compile.ts";
import { Random } from "../tensor/random.ts";

/**
 * The engine's speed on what a U-Net of Stable Diffusion mostly does: a 3 x 3 convolution of 320 channels at 64 x 64 and a product of 4096
 * positions with the 320 x 2560 weights of a feed-forward layer, in one graph.
 * @returns GFLOP/s, the median over about `seconds`
 */
export async function measureSpeed(threads: number, seconds = 2): Promise<number> {
  const [channels, side, wide] = [320, 64, 2560];
  const graph = new Graph();
  const pixels = graph.input("pixels", [1, channels, side, side]);
  const rows = graph.input("rows", [side * side, channels]);
  const kernel = graph.parameter("kernel", [channels, channels, 3, 3]);
  const weights = graph.parameter("weights", [channels, wide]);
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
  const flop = 2 * side * side * channels * (channels * 9 + wide);
  try {
    const feeds = { pixels: rng.normal(pixels.shape), rows: rng.normal(rows.shape) };
    await compiled.run(feeds);
    const times: number[] = [];
    for (const begun = performance.now(); performance.now() - begun < seconds * 1000 || times.length < 3;) {
      const started = performance.now();
      await compiled.run(feeds);
      times.push((performance.now() - started) / 1000);
    }
    times.sort((a, b) => a - b);
    return flop / times[Math.floor(times.length / 2)] / 1e9;
  } finally {
    await compiled.release();
  }
}
