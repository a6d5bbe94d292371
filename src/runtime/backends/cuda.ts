import { CUDA_DIALECT } from "../../graph/dialect.ts";
import { UsageError } from "../../system/errors.ts";
import { reasonOf } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { loadLibrary } from "../../system/native.ts";
import { askDriver } from "../cuda/driver.ts";
import { findCuda, inspectInstallation } from "../cuda/installation.ts";
import { openOrt, type Ort } from "../ort/api.ts";
import { createOrtBackend } from "../ort/backend.ts";
import type { Backend } from "./backend.ts";
import { saidBy } from "../../system/said-by.ts";

/**
 * NVIDIA's GPUs, through ONNX Runtime's CUDA provider, which `rpo gpu install` brings. The provider looks for NVIDIA's libraries by their
 * names; those that are loaded already are found whatever the system's paths are.
 */
export const cuda: Backend = createOrtBackend({
  dialect: CUDA_DIALECT,
  library: loadWithCuda,
  provider: "CUDA",
  options: ({ precision }) => ({
    device_id: "0",
    use_tf32: precision === "float32" || precision === undefined ? "0" : "1",
    // what was measured on an H200; the default, exhaustive, tries every algorithm of every convolution in the first run
    cudnn_conv_algo_search: "HEURISTIC",
    // the default doubles the arena each time that it grows
    arena_extend_strategy: "kSameAsRequested",
  }),
  runConfig: ({ workspace }): Readonly<Record<string, string>> =>
    workspace === "returned" || workspace === "fresh" ? { "memory.enable_memory_arena_shrinkage": "gpu:0" } : {},
  memory: { name: "Cuda", canSlice: true },
  check() {
    const driver = askDriver();
    if (driver.state !== "works")
      throw new UsageError(
        say`${setting("device", "cuda")}: NVIDIA's driver ${driver.state === "none" ? "is not installed" : `does not work: ${driver.reason}`}; rpo doctor says more, ${setting("device", "cpu")} works everywhere`,
      );
    findCuda();
  },
  version: (ort) => [ort, cudnnVersion(), cardName()].filter((part) => part !== undefined).join(", "),
  explain: (error) =>
    error instanceof UsageError
      ? error
      : new UsageError(
          say`${setting("device", "cuda")}: ${reasonIn(error)}; rpo doctor says what is missing, ${setting("device", "cpu")} works everywhere`,
        ),
});

/** What a run's last bits depend on beside ONNX Runtime. */
function cudnnVersion(): string | undefined {
  const report = inspectInstallation();
  const packages = report.state === "whole" ? report.manifest.packages : [];
  const cudnn = packages.find(({ name }) => name.startsWith("nvidia-cudnn"));
  return cudnn && `cuDNN ${cudnn.version}`;
}

function cardName(): string | undefined {
  const driver = askDriver();
  return driver.state === "works" ? driver.cards[0]?.name : undefined;
}

/** What ONNX Runtime says after the place in its source, and the system's own words where there are some. */
function reasonIn(error: unknown): string {
  const text = saidBy(error);
  const said = /with error: (.*)/.exec(text) ?? /\[ONNXRuntimeError\] : \d+ : \w+ : (.*)/.exec(text);
  return (said?.[1] ?? text.split("\n")[0]).trim().slice(0, 300);
}

function loadWithCuda(): Ort {
  const { runtime, preload } = findCuda();
  for (const path of preload)
    try {
      loadLibrary(path);
    } catch (error) {
      throw new UsageError(
        say`${setting("device", "cuda")}: ${path} cannot be loaded: ${reasonOf(error).split("\n")[0]}; rpo gpu install puts it right`,
      );
    }
  return openOrt(runtime);
}
