import { loadLibrary, type Library } from "../../system/native.ts";
import type { Capability } from "./requirements.ts";
import { saidBy } from "../../system/said-by.ts";

/** A card as its driver describes it. */
export interface GraphicsCard {
  readonly name: string;
  readonly capability: Capability;
  readonly memoryBytes: number;
}

/** What NVIDIA's driver says of itself; "none" where it is not installed, "fails" where it is and does not work. */
export type DriverReport =
  | { readonly state: "none"; readonly reason: string }
  | { readonly state: "fails"; readonly reason: string }
  | {
      readonly state: "works";
      /** The newest CUDA that it knows: "13.0". */
      readonly cuda: `${number}.${number}`;
      readonly cards: readonly GraphicsCard[];
    };

/** Where Windows puts its own driver for Linux programs (WSL). */
export const WSL_DRIVER = "/usr/lib/wsl/lib/libcuda.so.1";

/** CUresult and CUdevice_attribute of cuda.h. */
const NO_DEVICE = 100;
const CAPABILITY_MAJOR = 75;
const CAPABILITY_MINOR = 76;
const MOST_NAME_BYTES = 256;
const MOST_CARDS = 64;

/**
 * Asks NVIDIA's driver which cards there are, without any library of CUDA.
 * @param path of the driver's library; by default RPO_CUDA_DRIVER, and else where the system has it
 */
export function askDriver(path = process.env["RPO_CUDA_DRIVER"]): DriverReport {
  const found = loadDriver(path === undefined || path === "" ? usualPaths() : [path]);
  if ("reason" in found) return { state: "none", reason: found.reason };
  try {
    return describe(found.driver);
  } catch (error) {
    // a library that lacks one of the functions is no driver, or an old one
    return { state: "fails", reason: lineOf(error) };
  }
}

function usualPaths(): readonly string[] {
  if (process.platform === "win32") return ["nvcuda.dll"];
  return process.platform === "linux" ? ["libcuda.so.1", WSL_DRIVER] : [];
}

function loadDriver(paths: readonly string[]): { readonly driver: Library } | { readonly reason: string } {
  let reason = `NVIDIA has no driver for ${process.platform}`;
  for (const path of paths)
    try {
      return { driver: loadLibrary(path) };
    } catch (error) {
      reason = lineOf(error);
    }
  return { reason };
}

type Call = (...args: readonly unknown[]) => number;

function describe(driver: Library): DriverReport {
  const init = driver.func("int cuInit(unsigned int flags)") as Call;
  const getVersion = driver.func("int cuDriverGetVersion(_Out_ int *version)") as Call;
  const getCount = driver.func("int cuDeviceGetCount(_Out_ int *count)") as Call;
  // the driver of a machine that has no card any more says so here already
  const started = init(0);
  if (started === NO_DEVICE) return { state: "works", cuda: versionOf(numberFrom(getVersion)), cards: [] };
  if (started !== 0) return { state: "fails", reason: reasonOf(started) };
  const count = Math.min(numberFrom(getCount), MOST_CARDS);
  const cards = Array.from({ length: count }, (_, index) => describeCard(driver, index));
  return { state: "works", cuda: versionOf(numberFrom(getVersion)), cards };
}

function describeCard(driver: Library, index: number): GraphicsCard {
  const getDevice = driver.func("int cuDeviceGet(_Out_ int *device, int ordinal)") as Call;
  const getName = driver.func("int cuDeviceGetName(_Out_ uint8_t *name, int length, int device)") as Call;
  const getMemory = driver.func("int cuDeviceTotalMem_v2(_Out_ size_t *bytes, int device)") as Call;
  const getAttribute = driver.func("int cuDeviceGetAttribute(_Out_ int *value, int attribute, int device)") as Call;
  const device = numberFrom(getDevice, index);
  const name = new Uint8Array(MOST_NAME_BYTES);
  check(getName(name, MOST_NAME_BYTES, device));
  const attribute = (which: number) => numberFrom(getAttribute, which, device);
  return {
    name: Buffer.from(name.subarray(0, name.indexOf(0))).toString("latin1"),
    capability: `${attribute(CAPABILITY_MAJOR)}.${attribute(CAPABILITY_MINOR)}`,
    memoryBytes: numberFrom(getMemory, device),
  };
}

/** What a function writes where its first argument points. @throws Error when it fails */
function numberFrom(call: Call, ...args: readonly number[]): number {
  const out: (number | bigint)[] = [0];
  check(call(out, ...args));
  return Number(out[0]);
}

function check(result: number): void {
  if (result !== 0) throw new Error(reasonOf(result));
}

/** 13000 is CUDA 13.0. */
function versionOf(version: number): `${number}.${number}` {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

/** Results of cuInit that people can do something about, as cuda.h numbers them. */
const REASONS: Readonly<Record<number, string>> = {
  3: "the driver is shutting down",
  34: "the library is a stub that comes with CUDA's toolkit, not the driver",
  46: "all cards are in use, or may not be used from here",
  100: "there is no NVIDIA card",
  101: "there is no such card",
  802: "the system's cards are not ready yet (nvidia-fabricmanager)",
  803: "the driver's library and its kernel module are of different versions: restart the machine",
  804: "the card does not support the compatibility package that is installed",
  999: "unknown error: the driver's kernel module may not be loaded, or /dev/nvidia* may be missing",
};

function reasonOf(result: number): string {
  return REASONS[result] ?? `error ${result} of the driver`;
}

function lineOf(error: unknown): string {
  return saidBy(error).replace(/\s+/g, " ").trim();
}
