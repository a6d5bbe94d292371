import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { UsageError } from "../../system/errors.ts";
import { openApi, type OpenvinoApi } from "./api.ts";
import { saidBy } from "../../system/said-by.ts";

/**
 * Finds OpenVINO where somebody has installed it: nothing is downloaded, and no program is started to ask.
 *
 * It comes as a Python package (openvino), as a package of the system (libopenvino), of conda, as an archive, or with npm's openvino-node;
 * all have the same libraries in one folder, of which libopenvino_c is the one to load: it finds the others beside itself.
 */

/** What a search depends on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** A file or folder whose node_modules are searched: by default this program's own, never those of the folder that a user happens to be in. */
  readonly origin: string | URL;
}

/** The setting that names a folder. */
const VARIABLE = "RPO_OPENVINO";

/** The first release that reads all of our graphs: 2026.2 has no MultiHeadAttention, 2026.3 no BatchNormalization of a training step. */
const FIRST = [2026, 4] as const;
const LAST_YEAR = 2026;

/** As libopenvino_c.so.2641, libopenvino_c.so, libopenvino_c.2641.dylib, openvino_c.dll. */
const NAME: Partial<Record<NodeJS.Platform, RegExp>> = {
  linux: /^libopenvino_c\.so(\.\d+)*$/,
  darwin: /^libopenvino_c(\.\d+)*\.dylib$/,
  win32: /^openvino_c\.dll$/,
};

/** OpenVINO's C API, or why there is none. */
export type Installation = { readonly api: OpenvinoApi } | { readonly api?: undefined; readonly reason: string };

/**
 * Opens OpenVINO where it is installed. One that cannot be used is in nobody's way unless somebody asked for it.
 * @throws UsageError when RPO_OPENVINO names a folder and what is there cannot be used
 */
export function openOpenvino(surroundings: Partial<Surroundings> = {}): Installation {
  const path = findOpenvino(surroundings);
  const named = (surroundings.env ?? process.env)[VARIABLE];
  if (path === undefined)
    return { reason: named === "off" ? `${VARIABLE}=off` : `OpenVINO is not installed (pip install openvino)` };
  const opened = open(path);
  if (opened.api === undefined && named !== undefined && named !== "")
    throw new UsageError(`${VARIABLE}=${named}: ${opened.reason}`);
  return opened;
}

function open(path: string): Installation {
  const remedy = `install another (pip install openvino), or go without (${VARIABLE}=off)`;
  try {
    const api = openApi(path);
    if (isKnown(api.version)) return { api };
    return {
      reason: `${path} is OpenVINO ${api.version}, expected ${FIRST.join(".")} or later of ${LAST_YEAR}: ${remedy}`,
    };
  } catch (error) {
    return {
      reason: `${path} cannot be loaded (${saidBy(error)}): ${remedy}`,
    };
  }
}

/**
 * The path of libopenvino_c; undefined when there is none, or RPO_OPENVINO=off.
 * @throws UsageError when RPO_OPENVINO names a folder without one
 */
export function findOpenvino({
  env = process.env,
  platform = process.platform,
  origin = import.meta.url,
}: Partial<Surroundings> = {}): string | undefined {
  const given = env[VARIABLE];
  if (given === "off") return undefined;
  const surroundings = { env, platform, origin };
  if (given !== undefined && given !== "") {
    const found = firstIn(
      INSIDE.map((inner) => join(given, ...inner)),
      platform,
    );
    if (found !== undefined) return found;
    throw new UsageError(
      `${VARIABLE}=${given}: no libopenvino_c there; name the folder that has it, such as site-packages/openvino/libs`,
    );
  }
  return firstIn(folders(surroundings), platform);
}

export function isKnown(version: string): boolean {
  const [year, release] = version.split(".").map(Number);
  return year <= LAST_YEAR && (year > FIRST[0] || (year === FIRST[0] && release >= FIRST[1]));
}

/** Where the libraries are in an installation, by the kinds of it: the folder itself, Python's package, its site-packages, Intel's archives. */
const INSIDE = [
  [],
  ["libs"],
  ["openvino", "libs"],
  ["runtime", "lib", "intel64"],
  ["runtime", "lib", "aarch64"],
  ["runtime", "lib", "arm64", "Release"],
  ["runtime", "lib", "intel64", "Release"],
  ["runtime", "bin", "intel64", "Release"],
];

/** Folders that may hold the libraries, those that were chosen for this shell first. */
function* folders({ env, platform, origin }: Surroundings): Generator<string> {
  for (const prefix of [env["VIRTUAL_ENV"], env["CONDA_PREFIX"]])
    if (prefix !== undefined && prefix !== "") yield* inPrefix(prefix, platform);
  const archive = env["INTEL_OPENVINO_DIR"]; // set by its setupvars
  if (archive !== undefined && archive !== "") yield* INSIDE.map((inner) => join(archive, ...inner));
  yield* besideOpenvinoNode(origin);
  yield* ofPython(env, platform);
  if (platform === "win32") return;
  yield "/usr/lib/x86_64-linux-gnu";
  yield "/usr/lib/aarch64-linux-gnu";
  for (const prefix of ["/usr/lib64", "/usr/lib", "/usr/local/lib", "/opt/homebrew/lib"]) yield prefix;
  for (const name of entries("/opt/intel").filter((name) => name.startsWith("openvino")))
    yield* INSIDE.map((inner) => join("/opt/intel", name, ...inner));
}

/** Of the Python that a shell would start, found as the shell finds it. */
function* ofPython(env: Surroundings["env"], platform: NodeJS.Platform): Generator<string> {
  const programs = platform === "win32" ? ["python.exe"] : ["python3", "python"];
  for (const folder of (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder)))
    for (const program of programs) {
      const path = join(folder, program);
      if (!existsSync(path)) continue;
      // a virtual environment's python is a link to that of the system, and has packages of its own
      for (const each of [path, realpathSync(path)])
        yield* inPrefix(platform === "win32" ? dirname(each) : dirname(dirname(each)), platform);
    }
  const home = env["HOME"];
  if (home !== undefined && home !== "") yield* inPrefix(join(home, ".local"), platform);
}

/** Of a Python environment, and of conda's, which has the libraries beside its own. */
function* inPrefix(prefix: string, platform: NodeJS.Platform): Generator<string> {
  if (platform === "win32") {
    yield join(prefix, "Lib", "site-packages", "openvino", "libs");
    yield join(prefix, "Library", "bin");
    return;
  }
  for (const lib of [join(prefix, "lib"), join(prefix, "local", "lib")]) {
    for (const python of entries(lib).filter((name) => /^python3(\.\d+)?$/.test(name)))
      for (const packages of ["site-packages", "dist-packages"]) yield join(lib, python, packages, "openvino", "libs");
    yield lib;
  }
}

function* besideOpenvinoNode(origin: Surroundings["origin"]): Generator<string> {
  try {
    yield join(dirname(createRequire(origin).resolve("openvino-node/package.json")), "bin");
  } catch {
    // it is not installed
  }
}

function firstIn(folders: Iterable<string>, platform: NodeJS.Platform): string | undefined {
  const name = NAME[platform];
  if (name === undefined) return undefined;
  for (const folder of folders) {
    const [found] = entries(folder)
      .filter((entry) => name.test(entry))
      .sort();
    if (found !== undefined && statSync(join(folder, found), { throwIfNoEntry: false })?.isFile() === true)
      return join(folder, found);
  }
  return undefined;
}

/** Names in a folder; none when it cannot be read. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
