import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { UsageError, type Message } from "../../system/errors.ts";
import { reasonOf } from "../../system/files.ts";
import { parseAs, parseJson } from "../../system/json.ts";
import { say, setting } from "../../system/message.ts";
import { readTextSync } from "../../system/regular-files.ts";
import { userCache, type Environment } from "../../system/user-cache.ts";
import { WSL_DRIVER } from "./driver.ts";
import { CUDA } from "./requirements.ts";
import { runtimeVersion } from "./runtime-version.ts";

/**
 * ONNX Runtime's CUDA provider and the libraries that it needs, as `rpo gpu install` puts them: all in one folder, with a copy of npm's own
 * libonnxruntime, for that looks for its providers where it is itself.
 */
export interface CudaInstallation {
  /** The libonnxruntime to load. */
  readonly runtime: string;
  /** NVIDIA's libraries, in the order in which they are to be loaded before the provider is asked for. */
  readonly preload: readonly string[];
}

export const MANIFEST = "manifest.json";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const installedFile = z.object({
  /** In the folder itself. */
  name: z.string().regex(/^[\w][\w.+-]*$/),
  size: z.int().min(0),
  sha256: hash,
  /** The package that it is of. */
  package: z.string(),
  /** "runtime" is the library to load, "preload" is loaded before the provider, "beside" is found by others. */
  role: z.enum(["runtime", "preload", "beside"]),
});

/** What is installed, in the order in which it is loaded. */
export const manifestSchema = z.object({
  format: z.literal(1),
  /** ONNX Runtime's version. */
  version: z.string(),
  cuda: z.int(),
  platform: z.string(),
  packages: z.array(z.object({ name: z.string(), version: z.string(), licence: z.string(), from: z.string() })),
  files: z.array(installedFile),
});
export type Manifest = z.output<typeof manifestSchema>;
export type InstalledFile = z.output<typeof installedFile>;

/** The folder with an installation for each version: RPO_GPU_HOME, or `rpo/gpu` in the user's cache. */
export function gpuHome(env: Environment = process.env): string {
  const home = env["RPO_GPU_HOME"]?.trim() ?? "";
  return home === "" ? join(userCache(env), "gpu") : resolve(home);
}

/** "onnxruntime-1.30.0-cuda13" */
export function folderName(version: string): string {
  return `onnxruntime-${version}-cuda${CUDA.major}`;
}

/** Where the installation for ONNX Runtime as it is here would be. */
export function installationFolder(env?: Environment): string {
  return join(gpuHome(env), folderName(runtimeVersion()));
}

/** What can be found out of an installation by looking: sizes, not hashes. */
export type InstallationReport =
  | { readonly state: "none"; readonly folder: string }
  /** Only others are there: of other versions of ONNX Runtime. */
  | { readonly state: "other"; readonly folder: string; readonly found: string; readonly expected: string }
  | { readonly state: "damaged"; readonly folder: string; readonly file: string; readonly problem: string }
  | { readonly state: "whole"; readonly folder: string; readonly manifest: Manifest };

/** @param folder of the installation */
export function inspectInstallation(folder = installationFolder()): InstallationReport {
  const expected = basename(folder);
  if (!existsSync(join(folder, MANIFEST))) {
    const found = others(folder);
    return found === undefined ? { state: "none", folder } : { state: "other", folder, found, expected };
  }
  let manifest: Manifest;
  try {
    manifest = readManifest(folder);
  } catch (error) {
    return { state: "damaged", folder, file: MANIFEST, problem: reasonOf(error) };
  }
  if (folderName(manifest.version) !== expected)
    return { state: "other", folder, found: folderName(manifest.version), expected };
  for (const { name, size } of manifest.files) {
    const info = statSync(join(folder, name), { throwIfNoEntry: false });
    if (info?.isFile() !== true) return { state: "damaged", folder, file: name, problem: "it is missing" };
    if (info.size !== size)
      return { state: "damaged", folder, file: name, problem: `it has ${info.size} bytes, expected ${size}` };
  }
  return { state: "whole", folder, manifest };
}

/** @throws Error with the reason when there is none, or it is not as it should be */
export function readManifest(folder: string): Manifest {
  const text = readTextSync(join(folder, MANIFEST));
  return parseAs(manifestSchema, parseJson(text), MANIFEST, Error);
}

/** An installation of another version that is there. */
function others(folder: string): string | undefined {
  const home = dirname(folder);
  let names: string[];
  try {
    names = readdirSync(home);
  } catch {
    return undefined; // not there, or not for us
  }
  return names.find((name) => name !== basename(folder) && existsSync(join(home, name, MANIFEST)));
}

/** What to do about an installation that is not there, or not as it should be; undefined where nothing is wrong. */
export function problemOf(report: InstallationReport): Message | undefined {
  switch (report.state) {
    case "whole":
      return undefined;
    case "none":
      return "ONNX Runtime's CUDA provider is not installed; rpo gpu install fetches it";
    case "other":
      return `installed is ${report.found}, and this program needs ${report.expected}; rpo gpu install fetches it`;
    case "damaged":
      return `${join(report.folder, report.file)}: ${report.problem}; rpo gpu install puts it right`;
  }
}

/**
 * What to load for CUDA. It looks for files and at their sizes, and reads none but the manifest.
 * @throws UsageError of one line with what to do, when it is not installed, a file is missing or it is of another version
 */
export function findCuda(folder?: string): CudaInstallation {
  const report = inspectInstallation(folder);
  if (report.state !== "whole") throw new UsageError(say`${setting("device", "cuda")}: ${problemOf(report) ?? ""}`);
  const { manifest } = report;
  const paths = (role: InstalledFile["role"]) =>
    manifest.files.filter((file) => file.role === role).map(({ name }) => join(report.folder, name));
  const [runtime] = paths("runtime");
  if (runtime === undefined)
    throw new UsageError(
      say`${setting("device", "cuda")}: ${join(report.folder, MANIFEST)} names no ONNX Runtime; rpo gpu install puts it right`,
    );
  const ofWindows = process.platform === "linux" && existsSync(WSL_DRIVER) ? [WSL_DRIVER] : [];
  return { runtime, preload: [...ofWindows, ...paths("preload")] };
}
