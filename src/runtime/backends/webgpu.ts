import { WEBGPU_DIALECT } from "../../graph/dialect.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { createOrtBackend } from "../ort/backend.ts";
import { packagedOrt } from "../ort/library.ts";
import type { Backend } from "./backend.ts";

/** Any GPU, through the WebGPU inside ONNX Runtime's library: Vulkan, Metal or Direct3D 12. */
export const webgpu: Backend = createOrtBackend({
  dialect: WEBGPU_DIALECT,
  library: packagedOrt,
  provider: "WebGPU",
  // our convolutions' layout: a tenth fewer nodes
  options: () => ({ preferredLayout: "NCHW" }),
  // no buffers of graphs that were let go are kept
  capture: { enableGraphCapture: "1", sessionBufferPoolGenerations: "0" },
  // the fused op leaves out mean and deviation, which gradients need
  withoutOptimizer: "SkipLayerNormFusion",
  memory: { name: "WebGPU_Buf", canSlice: false },
  mayLackHalves: true,
  explain(error) {
    const message = error instanceof Error ? error.message : "";
    if (message.includes("Failed to get a WebGPU adapter"))
      return new UsageError(
        say`${setting("device", "webgpu")}: no GPU was found; on Linux WebGPU needs a Vulkan driver (vulkaninfo shows whether there is one); ${setting("device", "cpu")} works everywhere`,
      );
    if (message.includes("requires f16"))
      return new UsageError(
        say`${setting("precision")}: this GPU or its driver has no numbers of 16 bits (WebGPU's shader-f16); use ${setting("precision", "float32")}`,
      );
    return error;
  },
});
