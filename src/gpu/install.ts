import { access, constants, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { checkStopped } from "../hub/errors.ts";
import { sizeOf } from "../hub/stretch.ts";
import { folderName, MANIFEST, type Manifest } from "../runtime/cuda/installation.ts";
import { CUDA } from "../runtime/cuda/requirements.ts";
import { bytesText } from "../system/bytes-text.ts";
import { digestOf } from "../system/digest.ts";
import { freeBytesAt } from "../system/disk.ts";
import { UsageError } from "../system/errors.ts";
import { exists, makeFolder, reasonOf, writeJson } from "../system/files.ts";
import { lockFolder } from "../system/lock.ts";
import { withRegular } from "../system/regular-files.ts";
import type { FoundFile } from "./found.ts";
import { isOwn, LICENCES } from "./own-files.ts";
import type { Plan } from "./plan.ts";
import { writeChecked } from "./unpack.ts";

export interface InstallOptions {
  /** The folder with an installation for each version. */
  readonly home: string;
  /** The library of ONNX Runtime that npm brought. */
  readonly library: string;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of all files together, and the file that comes now. */
  readonly onProgress?: ((done: number, total: number, name: string) => void) | undefined;
  readonly freeBytes?: ((folder: string) => Promise<number>) | undefined;
}

/** Where what has come of files is, until they are whole. */
export function downloadsIn(home: string): string {
  return join(home, "rpo-downloads");
}

/**
 * Looks, before anything is fetched, whether there can be an installation.
 * @throws UsageError when the folder cannot be made or written to
 */
export async function checkHome(home: string): Promise<void> {
  let nearest = home;
  while (!(await exists(nearest)) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  const isFolder = await stat(nearest).then((info) => info.isDirectory());
  const reason = isFolder
    ? await access(nearest, constants.W_OK).then(() => undefined, reasonOf)
    : `${nearest} is no folder`;
  if (reason !== undefined) throw new UsageError(`${home}: ${reason}; set RPO_GPU_HOME to a folder of yours`);
}

/**
 * Brings all files of a plan into their folder; those that are there already and right are left alone. What says that the installation is whole
 * is written last, so that half of one is never taken for one.
 * @returns the folder
 * @throws UsageError when another process installs, or there is no room; Unreachable, DownloadStopped
 */
export async function installCuda(plan: Plan, options: InstallOptions): Promise<string> {
  const { home, library, signal, onProgress, freeBytes = freeBytesAt } = options;
  await makeFolder(home);
  const unlock = await lockFolder(home, { command: "rpo gpu install", otherMachines: false });
  try {
    const folder = join(home, folderName(plan.version));
    const downloads = downloadsIn(home);
    const files = plan.packages.flatMap((each) => each.files.map((file) => ({ file, package: each.name })));
    const missing: FoundFile[] = [];
    for (const { file } of files) {
      checkStopped(signal);
      if (!(await isRight(join(folder, file.name), file))) missing.push(file);
    }
    checkRoom(home, missing, await freeBytes(home));
    // from here on, until it is written again, there is none
    await rm(join(folder, MANIFEST), { force: true });
    const total = missing.reduce((sum, { bytes }) => sum + bytes, 0);
    let before = 0;
    for (const file of missing) {
      const onBytes = (done: number) => onProgress?.(before + done, total, file.name);
      await file.put(join(folder, file.name), { downloads, signal, onBytes });
      before += file.bytes;
      onProgress?.(before, total, file.name);
    }
    for (const { name, version, licences } of plan.packages)
      for (const licence of licences) {
        const target = join(folder, LICENCES, `${name}-${version}`, licence.name.replaceAll("/", "_"));
        await licence.put(target, { downloads, signal, onBytes: () => undefined });
      }
    const manifest: Manifest = {
      format: 1,
      version: plan.version,
      cuda: CUDA.major,
      platform: plan.platform.name,
      packages: plan.packages.map(({ name, version, licence, from }) => ({ name, version, licence, from })),
      files: [
        ...files.map(({ file: { name, size, sha256, role }, package: its }) => ({
          name,
          size,
          sha256,
          package: its,
          role,
        })),
        await copyRuntime(library, folder),
      ],
    };
    await removeOthers(folder, manifest);
    await writeJson(join(folder, MANIFEST), manifest);
    await plan.close();
    await rm(downloads, { recursive: true, force: true });
    return folder;
  } finally {
    await unlock();
  }
}

async function isRight(path: string, { size, sha256 }: { readonly size: number; readonly sha256: string }) {
  return (await sizeOf(path)) === size && (await digestOf(path)) === sha256;
}

/** What is unpacked, and beside it the largest of the files as it was packed. */
function checkRoom(home: string, missing: readonly FoundFile[], free: number): void {
  const sizes = missing.map(({ size }) => size).reduce((sum, size) => sum + size, 0);
  const needed = sizes + Math.max(0, ...missing.map(({ bytes }) => bytes));
  if (needed > free)
    throw new UsageError(
      `${home}: ${bytesText(needed)} are needed and ${bytesText(free)} are free; make room, or set RPO_GPU_HOME to a folder on another disk`,
    );
}

/** npm's own library, which looks for its providers in the folder where it is itself. */
async function copyRuntime(path: string, folder: string): Promise<Manifest["files"][number]> {
  const name = basename(path);
  const sha256 = await digestOf(path);
  return withRegular(path, { atMost: Infinity }, async (file, size) => {
    const target = join(folder, name);
    if (!(await isRight(target, { size, sha256 }))) {
      const source = file.createReadStream({ autoClose: false });
      const problem = await writeChecked(source, { path, size, sha256 }, target, {});
      if (problem !== undefined) throw new Error(`${path}: ${problem}`);
    }
    return { name, size, sha256, package: "onnxruntime-node of npm", role: "runtime" };
  });
}

/** Libraries of other versions that were there before: one that is not listed must not be found either. Others' files stay. */
async function removeOthers(folder: string, { files }: Manifest): Promise<void> {
  const known = new Set([...files.map(({ name }) => name), LICENCES]);
  for (const name of await readdir(folder))
    if (!known.has(name) && isOwn(name, new Set())) await rm(join(folder, name), { recursive: true, force: true });
}
