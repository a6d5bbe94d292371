import type { Command } from "commander";
import { JSON_LINES } from "../settings/common.ts";
import { CONFIRMED, DRY_RUN, GPU_INSTALL } from "../settings/gpu.ts";
import { addCommand } from "./flags.ts";

/** `rpo gpu ...`. */
export function addGpuCommands(program: Command): void {
  const gpu = program
    .command("gpu")
    .description("what NVIDIA cards need besides their driver: install, look at, remove")
    .addHelpText("after", "\nExamples:\n  rpo gpu install\n  rpo gpu status\n  rpo gpu remove");
  addCommand(gpu, {
    name: "install",
    about: "ONNX Runtime's CUDA provider and NVIDIA's libraries for it, 1.2 GB to fetch, 2.0 GB on the disk",
    argument: { name: "[wheel...]", about: "wheels (.whl) that are here already" },
    settings: GPU_INSTALL,
    control: { ...CONFIRMED, ...DRY_RUN, ...JSON_LINES },
    examples: `Examples:
  rpo gpu install
  rpo gpu install --from ~/.venvs/torch
  rpo gpu install ./onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl --from ~/.venvs/torch
  rpo gpu install --index https://pypi.example/simple --yes

Each package is taken from the wheels, else from the environment, else from the index. Ctrl-C stops; the same command goes on.`,
    async run({ settings, control, words }) {
      const { gpuInstallCommand } = await import("./gpu.ts");
      return gpuInstallCommand(words, settings, control);
    },
  });
  addCommand(gpu, {
    name: "status",
    about: "what is installed, and whether it is whole",
    settings: {},
    control: JSON_LINES,
    examples:
      "Example:\n  rpo gpu status\n\nIt reads all files, 2 GB, and compares their SHA-256 with what was installed. Exits 1 when something is missing or damaged.",
    async run({ control }) {
      const { gpuStatusCommand } = await import("./gpu.ts");
      return gpuStatusCommand(control);
    },
  });
  addCommand(gpu, {
    name: "remove",
    about: "remove all that rpo gpu install has put there",
    settings: {},
    control: { ...CONFIRMED, ...JSON_LINES },
    examples: "Example:\n  rpo gpu remove",
    async run({ control }) {
      const { gpuRemoveCommand } = await import("./gpu.ts");
      return gpuRemoveCommand(control);
    },
  });
}
