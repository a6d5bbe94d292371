import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import type { EngineApart, EngineReport } from "./engine.ts";
import { saidBy } from "../system/said-by.ts";

/**
 * A program by itself, which prints an {@link EngineReport} but for GPUs: it loads what is native, and a processor or a system that does not bear that
 * ends this process, not the doctor.
 */

// Only a require that fails can be caught for sure: an import of CommonJS may end the process (Node 20).
const require = createRequire(import.meta.url);

async function attempt<T>(load: () => Promise<T>): Promise<T | { readonly error: string }> {
  try {
    return await load();
  } catch (error) {
    const lines = saidBy(error).split("\n");
    return { error: lines.find((line) => line.trim() !== "")?.trim() ?? "no reason given" };
  }
}

const threads = Number(process.argv[2] ?? availableParallelism());
const pictures = await attempt(async () => {
  require("sharp");
  const { default: sharp } = await import("sharp");
  return { sharp: sharp.versions.sharp ?? "", vips: sharp.versions.vips };
});
const runtime = await attempt(async () => {
  const { packagedOrt } = await import("../runtime/ort/library.ts");
  const { providersOf } = await import("../runtime/ort/providers.ts");
  const ort = packagedOrt();
  // providers that come in libraries of their own are another finding
  const devices = providersOf(ort).filter((name) => name !== "cuda" && name !== "tensorrt");
  return { version: ort.version, devices };
});
const speed = await attempt(async () => {
  if ("error" in runtime) throw new Error(runtime.error);
  const { measureSpeed } = await import("../runtime/trial/speed.ts");
  return { threads, gigaflops: await measureSpeed(threads) };
});
process.stdout.write(JSON.stringify({ pictures, runtime, speed } satisfies Omit<EngineReport, EngineApart>));
