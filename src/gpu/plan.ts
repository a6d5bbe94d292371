import { UsageError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import type { FoundPackage } from "./found.ts";
import { fromEnvironment, openEnvironment, type Environment } from "./from-environment.ts";
import { fromWheel } from "./from-wheel.ts";
import { PLATFORMS, PROVIDER, type Package, type Platform } from "./packages.ts";
import type { IndexAddress } from "./pip-config.ts";
import { fromIndex, openIndex, type IndexOptions, type PythonIndex } from "./python-index.ts";
import { isIn, parseVersion } from "./versions.ts";
import { localBytes } from "./wheel-bytes.ts";
import { openWheel, type Wheel } from "./wheel.ts";

/** What would be installed, and where it is now. */
export interface Plan {
  /** Of ONNX Runtime. */
  readonly version: string;
  readonly platform: Platform;
  /** In the order in which they are loaded. */
  readonly packages: readonly FoundPackage[];
  close(): Promise<void>;
}

export interface PlanRequest extends IndexOptions {
  /** Of ONNX Runtime here. */
  readonly version: string;
  readonly platform: Platform;
  /** Paths of wheels that are here. */
  readonly wheels: readonly string[];
  /** A Python environment. */
  readonly from: string | undefined;
  readonly index: IndexAddress;
  /** For what has come of files that are not whole. */
  readonly downloads: string;
}

/** @throws UsageError where there is no provider for it */
export function platformHere(name = `${process.platform} ${process.arch}`): Platform {
  const platform = PLATFORMS.find((each) => each.name === name);
  if (platform === undefined)
    throw new UsageError(
      say`${setting("device", "cuda")} needs ${PLATFORMS.map((each) => each.name).join(" or ")}, and this is ${name}`,
    );
  return platform;
}

/**
 * Finds all packages: each in the wheels that were given, else in the environment, else on the index. Nothing but lists of contents is fetched.
 * @throws UsageError naming what cannot be found; Unreachable, ModelError, DownloadStopped
 */
export async function planInstallation(request: PlanRequest): Promise<Plan> {
  const { version, platform, from, index: address } = request;
  const opened: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const each of opened.splice(0)) await each.close();
  };
  try {
    const wheels = await openWheels(request, opened);
    const environment = from === undefined ? undefined : await openEnvironment(from);
    let index: PythonIndex | undefined;
    const sources: Sources = {
      wheels,
      environment,
      index: () => {
        if (index === undefined) {
          index = openIndex(address, request);
          opened.push(index.client);
        }
        return index;
      },
    };
    const found = new Map<string, FoundPackage>();
    // the provider says which versions of the others it goes with
    for (const wanted of platform.packages.toSorted(
      (a, b) => Number(b.name === PROVIDER) - Number(a.name === PROVIDER),
    )) {
      const asked = found.get(PROVIDER)?.requires.get(wanted.name) ?? "";
      const range = wanted.name === PROVIDER ? `==${version}` : asked === "" ? wanted.range : asked;
      const its = await find(wanted, range, sources, request);
      opened.unshift(its);
      found.set(wanted.name, its);
    }
    const packages = platform.packages.flatMap(({ name }) => found.get(name) ?? []);
    return { version, platform, packages, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

interface Sources {
  readonly wheels: readonly Wheel[];
  readonly environment: Environment | undefined;
  readonly index: () => PythonIndex;
}

/** Those of the wheels that are needed: `pip download` brings what a Python program would need besides. */
async function openWheels(
  { wheels, platform, signal, say: tell }: PlanRequest,
  opened: { close(): Promise<void> }[],
): Promise<Wheel[]> {
  const all: Wheel[] = [];
  const needed = platform.packages.map(({ name }) => name);
  for (const path of wheels) {
    const bytes = await localBytes(path, { signal });
    opened.push(bytes);
    const wheel = await openWheel(bytes);
    if (needed.includes(wheel.metadata.name)) all.push(wheel);
    else tell(`${path} is not needed`);
  }
  if (wheels.length > 0 && all.length === 0)
    throw new UsageError(`none of the wheels is needed; needed are ${needed.join(", ")}`);
  return all;
}

async function find(
  wanted: Package,
  range: string,
  { wheels, environment, index }: Sources,
  { platform, downloads, say: tell, from }: PlanRequest,
): Promise<FoundPackage> {
  const { name } = wanted;
  const fits = (text: string): boolean => {
    const version = parseVersion(text);
    return version !== undefined && isIn(range, version) === true;
  };
  const wheel = wheels.find(({ metadata }) => metadata.name === name);
  if (wheel !== undefined) {
    const { version } = wheel.metadata;
    if (!fits(version))
      throw new UsageError(`${wheel.bytes.from}: ${name} ${version} does not do; it must be ${range}`);
    return fromWheel(wheel, wanted);
  }
  const installed = environment && (await fromEnvironment(environment, wanted));
  if (installed !== undefined) {
    if (fits(installed.version)) return installed;
    tell(`${installed.from} has ${name} ${installed.version}, and ${range} is needed: it is taken from the index`);
  }
  try {
    return await fromIndex(index(), wanted, { range, tag: platform.tag, downloads });
  } catch (error) {
    if (environment === undefined && wheels.length === 0) throw error;
    if (!(error instanceof Error) || error.name !== "Unreachable") throw error;
    const where = from === undefined ? "the wheels that were given have" : `${from} has`;
    throw new UsageError(`${where} no ${name} ${range}, and the index cannot be asked: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** How many bytes are to be fetched or read, and how many they become. */
export function sizesOf({ packages }: Pick<Plan, "packages">): { readonly bytes: number; readonly size: number } {
  const files = packages.flatMap((each) => each.files);
  return {
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    size: files.reduce((sum, file) => sum + file.size, 0),
  };
}
