import type { GpuTrial } from "./cuda.ts";

/**
 * A program by itself, as `engine-probe.ts` is: whether a sum on a GPU comes out right, and how fast it computes. A graphics driver may end
 * the process. Its argument is the device.
 */

const { DEVICES } = await import("../runtime/device.ts");
const { Graph } = await import("../graph/graph.ts");
const { add } = await import("../graph/ops/index.ts");
const { compile } = await import("../runtime/compile.ts");
const { float32 } = await import("../tensor/tensor.ts");
const { measureGpu } = await import("./speed.ts");

async function tryDevice(name: string | undefined): Promise<GpuTrial> {
  const device = DEVICES.find((each) => each === name);
  if (device === undefined) throw new Error(`expected ${DEVICES.join(", ")}`);
  const graph = new Graph();
  const x = graph.input("x", [2]);
  const compiled = await compile({ y: add(x, 1) }, { threads: 1, device });
  const { y } = await compiled.run({ x: float32([1, 2]) });
  await compiled.release();
  const works = y.data[0] === 2 && y.data[1] === 3;
  return { works, gigaflops: works ? await measureGpu(device) : 0 };
}

const trial = await tryDevice(process.argv[2]).catch((error: unknown) => ({
  error: (error instanceof Error ? error.message : String(error)).split("\n")[0],
}));
process.stdout.write(JSON.stringify(trial satisfies GpuTrial | { readonly error: string }));
