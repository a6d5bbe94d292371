import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { readHubSettings } from "../hub/settings.ts";
import { freeBytesAt } from "../system/disk.ts";
import { exists } from "../system/files.ts";
import { saidBy } from "../system/said-by.ts";

/** What can be learnt of a machine without the engine. */
export interface System {
  /** "20.20.2" */
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly processor: Processor;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  readonly work: Disk;
  readonly cache: Disk | { readonly error: string };
}

export interface Processor {
  readonly model: string;
  /** That this process may use. */
  readonly cores: number;
  /** Vector instructions that ONNX Runtime makes use of, the widest last; undefined where the system does not tell. */
  readonly vectors: readonly string[] | undefined;
}

export interface Disk {
  readonly path: string;
  readonly exists: boolean;
  /** Of the path, or of the nearest folder above it that is there. */
  readonly writable: boolean;
  readonly freeBytes: number;
}

export async function inspectSystem(env: NodeJS.ProcessEnv = process.env): Promise<System> {
  return {
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    processor: { model: modelOf(), cores: availableParallelism(), vectors: await vectorInstructions() },
    memory: memoryOf(),
    work: await diskOf(process.cwd()),
    cache: await cacheOf(env),
  };
}

function modelOf(): string {
  return cpus()[0]?.model.trim().replace(/\s+/g, " ") ?? "unknown processor";
}

/** With the limit of a container, where there is one. */
function memoryOf(): System["memory"] {
  const limit = process.constrainedMemory();
  const totalBytes = limit > 0 && limit < totalmem() ? limit : totalmem();
  return { totalBytes, availableBytes: Math.min(totalBytes, freeMemory()) };
}

/** What can be had without swapping. os.freemem leaves out what the file cache would give back. */
function freeMemory(): number {
  // since Node 20.13
  return typeof process.availableMemory === "function" ? process.availableMemory() : freemem();
}

/** The disk of the models' cache, or why the environment's variables do not say where that is. */
async function cacheOf(env: NodeJS.ProcessEnv): Promise<System["cache"]> {
  try {
    return await diskOf((await readHubSettings(env)).cache);
  } catch (error) {
    return { error: saidBy(error) };
  }
}

async function diskOf(path: string): Promise<Disk> {
  let nearest = path;
  while (!(await exists(nearest)) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  const writable = await access(nearest, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { path, exists: nearest === path, writable, freeBytes: await freeBytesAt(nearest) };
}

async function vectorInstructions(): Promise<readonly string[] | undefined> {
  // every 64-bit ARM processor has NEON
  if (process.arch === "arm64") return ["NEON"];
  if (process.platform === "linux") return parseFlags(await readFile("/proc/cpuinfo", "utf8").catch(() => ""));
  if (process.platform === "win32") return askWindows();
  return undefined;
}

/** The flags of /proc/cpuinfo that count, under the names that people know. */
export function parseFlags(cpuinfo: string): readonly string[] | undefined {
  const line = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1];
  if (line === undefined) return undefined;
  const flags = new Set(line.trim().split(/\s+/));
  const names = { avx: "AVX", avx2: "AVX2", avx512f: "AVX-512", avx512_bf16: "AVX-512 BF16", amx_tile: "AMX" };
  return Object.entries(names).flatMap(([flag, name]) => (flags.has(flag) ? [name] : []));
}

/** Numbers of winnt.h for IsProcessorFeaturePresent. */
const WINDOWS_FEATURES = { 39: "AVX", 40: "AVX2", 41: "AVX-512" } as const;

/** Windows has no file to read: its own function, through PowerShell. Undefined where that is locked or slow. */
async function askWindows(): Promise<readonly string[] | undefined> {
  const declaration = `[DllImport("kernel32.dll")] public static extern bool IsProcessorFeaturePresent(int f);`;
  const ask = Object.keys(WINDOWS_FEATURES).map((id) => `[int]$k::IsProcessorFeaturePresent(${id})`);
  const script = `$k = Add-Type -Name K -PassThru -MemberDefinition '${declaration}'; ${ask.join("; ")}`;
  try {
    const options = { timeout: 5000, windowsHide: true };
    const { stdout } = await promisify(execFile)("powershell.exe", ["-NoProfile", "-Command", script], options);
    const answers = stdout.trim().split(/\s+/);
    return Object.values(WINDOWS_FEATURES).filter((_, i) => answers[i] === "1");
  } catch {
    return undefined;
  }
}
