import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import { inWords, judgeCuda } from "./cuda.ts";
import type { EngineReport } from "./engine.ts";
import { bytesText } from "../system/bytes-text.ts";
import { fails, note, ok, type Finding } from "./findings.ts";
import type { Disk, System } from "./system.ts";

/** What the facts mean for the program: pure functions from facts to findings. */

/** Every finding about a machine, in the order in which they are shown. */
export function judge(system: System, engine: EngineReport, models: EmbeddedModels): Finding[] {
  return [
    judgeNode(system.node),
    judgeProcessor(system),
    judgeMemory(system.memory),
    judgeWork(system.work),
    judgeCache(system.cache),
    judgeRuntime(engine.runtime, system),
    ...judgeCuda(engine.cuda),
    judgeWebGpu(engine),
    judgeOpenvino(engine.openvino),
    judgePictures(engine.pictures),
    judgeEmbedded(models),
    judgeSpeed(engine.speed),
  ];
}

/** Those that docs/installation.md has results of. */
const TRIED = { from: [20, 9], to: 26 } as const;

function judgeNode(version: string): Finding {
  const [major, minor] = version.split(".").map(Number);
  const name = "Node";
  if (major < TRIED.from[0] || (major === TRIED.from[0] && minor < TRIED.from[1]))
    return fails(name, version, `install Node ${TRIED.from.join(".")} or newer from https://nodejs.org`);
  if (major > TRIED.to) return note(name, version, `newer than what was tried: if something fails, take ${TRIED.to}`);
  return ok(name, version);
}

function judgeProcessor({ processor, arch }: System): Finding {
  const { model, cores, vectors } = processor;
  const told = vectors === undefined ? "vector instructions unknown" : (vectors.at(-1) ?? "no AVX");
  const value = `${model}, ${cores} core${cores === 1 ? "" : "s"}, ${told}`;
  const name = "Processor";
  if (arch === "x64" && vectors !== undefined && !vectors.includes("AVX2"))
    return note(name, value, "without AVX2 all work takes several times as long: train on another machine");
  return ok(name, value);
}

/** `rpo generate` with Stable Diffusion 1.5 needs 5.4 GB, training 14.2 GB, with --memory low 8.2 GB (docs/run-cost.md). */
const MEMORY = { drawing: 5.4e9, training: 8.2e9, comfortable: 16e9 } as const;

function judgeMemory({ totalBytes, availableBytes }: System["memory"]): Finding {
  const name = "Memory";
  const value = `${bytesText(totalBytes)}, ${bytesText(availableBytes)} free`;
  if (totalBytes < MEMORY.drawing)
    return note(
      name,
      value,
      `Stable Diffusion 1.5 does not fit (${bytesText(MEMORY.training)}); the embedded one does`,
    );
  if (totalBytes < MEMORY.training)
    return note(name, value, `enough to draw, not to train Stable Diffusion 1.5 (${bytesText(MEMORY.training)})`);
  if (availableBytes < MEMORY.training)
    return note(name, value, "close other programs before training Stable Diffusion 1.5");
  if (totalBytes < MEMORY.comfortable) return note(name, value, "train with --memory low");
  return ok(name, value);
}

/** A run at the defaults: 384 pictures and ten checkpoints of a LoRA, and its state. */
const RUN_BYTES = 1e9;
const LEAST_BYTES = 50e6;

function spaceOf(freeBytes: number): string {
  return Number.isFinite(freeBytes) ? `${bytesText(freeBytes)} free` : "unknown space";
}

function judgeWork({ path, writable, freeBytes }: Disk): Finding {
  const name = "This folder";
  const value = `${spaceOf(freeBytes)} in ${path}`;
  if (!writable) return fails(name, `${path} cannot be written to`, "change to a folder of yours, or give --output");
  if (freeBytes < LEAST_BYTES) return fails(name, value, "make space, or give --output on another disk");
  if (freeBytes < RUN_BYTES) return note(name, value, `a run takes up to ${bytesText(RUN_BYTES)}: make space`);
  return ok(name, value);
}

/** Stable Diffusion 1.5 in float32 and ALIGN. */
const MODELS_BYTES = 6e9;

function judgeCache(cache: System["cache"]): Finding {
  const name = "Model cache";
  if ("error" in cache) return fails(name, cache.error, "correct the variable or the file that it names");
  const { path, exists, writable, freeBytes } = cache;
  const value = `${spaceOf(freeBytes)} in ${path}${exists ? "" : ", which is not there yet"}`;
  if (!writable) return note(name, `${path} cannot be written to`, "set HF_HOME to a folder of yours");
  if (freeBytes < MODELS_BYTES)
    return note(name, value, `models take ${bytesText(MODELS_BYTES)}: make space, or set HF_HOME to another disk`);
  return ok(name, value);
}

/** What onnxruntime-node has binaries for. */
const PLATFORMS = ["linux x64", "linux arm64", "darwin arm64", "win32 x64", "win32 arm64"];

function judgeRuntime(runtime: EngineReport["runtime"], { platform, arch }: System): Finding {
  const name = "ONNX Runtime";
  if (!("error" in runtime)) return ok(name, `${runtime.version} (installed: ${runtime.devices.join(", ")})`);
  if (!PLATFORMS.includes(`${platform} ${arch}`))
    return fails(name, `none for ${platform} ${arch}`, `there are binaries for ${PLATFORMS.join(", ")}`);
  const advice =
    "install the package again; Linux needs glibc 2.28 or newer (not musl), Windows the Visual C++ runtime";
  return fails(name, runtime.error, advice);
}

function judgeWebGpu({ webgpu, speed }: Pick<EngineReport, "webgpu" | "speed">): Finding {
  const name = "WebGPU";
  if ("error" in webgpu) return ok(name, "no GPU that it can use");
  if (!webgpu.works) return note(name, "computes a sum wrongly", "do not use --device webgpu; a newer driver may help");
  const value = `--device webgpu works, ${inWords(webgpu.gigaflops)}`;
  if ("gigaflops" in speed && webgpu.gigaflops < speed.gigaflops)
    return note(name, value, "slower than the processor, and perhaps no GPU at all: --device cpu is the better one");
  return ok(name, value);
}

function judgeOpenvino(openvino: EngineReport["openvino"]): Finding {
  const name = "OpenVINO";
  if ("error" in openvino) return ok(name, openvino.error);
  const { version, bfloat16 } = openvino;
  return ok(name, `${version}: --device openvino${bfloat16 ? ", and --precision bfloat16" : ""}`);
}

function judgePictures(pictures: EngineReport["pictures"]): Finding {
  const name = "Pictures";
  if ("error" in pictures)
    return fails(name, pictures.error, "install again without --omit=optional: sharp's binaries are optional packages");
  return ok(name, `sharp ${pictures.sharp}, libvips ${pictures.vips}`);
}

/** Which of the embedded models there are, by name of the part. */
export type EmbeddedModels = Readonly<Record<string, boolean>>;

function judgeEmbedded(models: EmbeddedModels): Finding {
  const name = "Embedded";
  const missing = Object.keys(models).filter((part) => !models[part]);
  if (missing.length === 0) return ok(name, `--model ${EMBEDDED_MODEL} and --reward ${EMBEDDED_MODEL} are there`);
  return note(name, `${missing.join(", ")} missing`, "rpo demo will not work; --model FOLDER and --reward FOLDER do");
}

/** Below this a run at the defaults takes four times as long as on the machine of docs/speed.md: the better part of a week. */
const SLOW_GIGAFLOPS = 50;

function judgeSpeed(speed: EngineReport["speed"]): Finding {
  const name = "Speed";
  if ("error" in speed) return fails(name, "not measured", `ONNX Runtime did not run: ${speed.error}`);
  const value = `${Math.round(speed.gigaflops)} GFLOP/s on ${speed.threads} thread${speed.threads === 1 ? "" : "s"}`;
  if (speed.gigaflops < SLOW_GIGAFLOPS)
    return note(name, value, "slow: close other programs, or train with fewer --steps and --validation-images");
  return ok(name, value);
}
