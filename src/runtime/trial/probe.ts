import type { Trial } from "./try.ts";
import { saidBy } from "../../system/said-by.ts";

/**
 * A program by itself, for a graphics driver may end the process: whether a sum on a device comes out right, and how fast the device computes.
 * Its arguments are the device and, for the processor, the threads.
 */

const { DEVICES } = await import("../device.ts");
const { Graph } = await import("../../graph/graph.ts");
const { add } = await import("../../graph/ops/index.ts");
const { compile } = await import("../compile.ts");
const { float32 } = await import("../../tensor/tensor.ts");
const { measureGpu, measureSpeed } = await import("./speed.ts");

async function tryOut(name: string | undefined, threads: number): Promise<Trial> {
  const device = DEVICES.find((each) => each === name);
  if (device === undefined) throw new Error(`expected ${DEVICES.join(", ")}`);
  const graph = new Graph();
  const x = graph.input("x", [2]);
  const compiled = await compile({ y: add(x, 1) }, { threads: 1, device });
  const { y } = await compiled.run({ x: float32([1, 2]) });
  await compiled.release();
  if (y.data[0] !== 2 || y.data[1] !== 3) return { works: false, gigaflops: 0 };
  return { works: true, gigaflops: await (device === "cpu" ? measureSpeed(threads) : measureGpu(device)) };
}

const trial = await tryOut(process.argv[2], Number(process.argv[3] ?? 1)).catch((error: unknown) => ({
  error: saidBy(error).split("\n")[0],
}));
process.stdout.write(JSON.stringify(trial satisfies Trial | { readonly error: string }));
