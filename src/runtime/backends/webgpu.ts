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
  // the fused op leaves out mean and deviation, which gradients need
  withoutOptimizer: "SkipLayerNormFusion",
  memory: { name: "WebGPU_Buf", canSlice: false },
  explain: (error) =>
    error instanceof Error && error.message.includes("Failed to get a WebGPU adapter")
      ? new UsageError(
          say`${setting("device", "webgpu")}: no GPU was found; on Linux WebGPU needs a Vulkan driver (vulkaninfo shows whether there is one); ${setting("device", "cpu")} works everywhere`,
        )
      : error,
});
