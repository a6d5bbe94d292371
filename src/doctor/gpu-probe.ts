import type { EngineReport } from "./engine.ts";

/** A program by itself, as `engine-probe.ts` is: whether a sum on the GPU comes out right. A graphics driver may end the process. */

const { Graph } = await import("../graph/graph.ts");
const { add } = await import("../graph/ops/index.ts");
const { compile } = await import("../runtime/compile.ts");
const { float32 } = await import("../tensor/tensor.ts");

const graph = new Graph();
const x = graph.input("x", [2]);
const compiled = await compile({ y: add(x, 1) }, { threads: 1, device: "webgpu" });
const { y } = await compiled.run({ x: float32([1, 2]) });
await compiled.release();
process.stdout.write(JSON.stringify({ works: y.data[0] === 2 && y.data[1] === 3 } satisfies EngineReport["gpu"]));
