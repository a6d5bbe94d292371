import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { inspectInstallation, problemOf, readManifest, type InstallationReport } from "../runtime/cuda/installation.ts";
import { digestOf } from "../system/digest.ts";
import { exists, reasonOf } from "../system/files.ts";
import { entriesBelow } from "../system/folder-tree.ts";
import { lockFolder } from "../system/lock.ts";
import { textOf } from "../system/message.ts";
import { downloadsIn } from "./install.ts";
import { removeInstallation } from "./own-files.ts";

/** What `rpo gpu install` has put into its folder, of this version and of others. */
export interface InstalledFolder {
  readonly path: string;
  /** Of all that is in it. */
  readonly bytes: number;
  /** Downloads that were stopped are no installation. */
  readonly isInstallation: boolean;
}

const INSTALLATION = /^onnxruntime-\d+\.\d+\.\d+-cuda\d+$/;

export interface GpuStatus {
  readonly folder: string;
  readonly works: boolean;
  /** What is wrong, in a line with what to do. */
  readonly problem: string | undefined;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly from: string }[];
  readonly folders: readonly InstalledFolder[];
}

/** Reads all that is installed. @param folder of the installation that this program would use */
export async function statusOf(home: string, folder: string): Promise<GpuStatus> {
  const report = await checkedInstallation(folder);
  const problem = problemOf(report);
  return {
    folder,
    works: report.state === "whole",
    problem: problem && textOf(problem),
    packages: report.state === "whole" ? report.manifest.packages : packagesOf(folder),
    folders: await foldersIn(home),
  };
}

/** A library that is damaged at the right size would end the process that loads it. */
async function checkedInstallation(folder: string): Promise<InstallationReport> {
  const report = inspectInstallation(folder);
  if (report.state !== "whole") return report;
  for (const { name, sha256 } of report.manifest.files) {
    const found = await digestOf(join(folder, name)).catch(reasonOf);
    if (found !== sha256)
      return { state: "damaged", folder, file: name, problem: "it is not what was installed, by its SHA-256" };
  }
  return report;
}

function packagesOf(folder: string): GpuStatus["packages"] {
  try {
    return readManifest(folder).packages;
  } catch {
    return [];
  }
}

/** All that was put there, with what was left of downloads that were stopped. */
export async function foldersIn(home: string): Promise<InstalledFolder[]> {
  const names = await readdir(home).catch((): string[] => []);
  const paths = [...names.filter((name) => INSTALLATION.test(name)).map((name) => join(home, name)), downloadsIn(home)];
  const folders: InstalledFolder[] = [];
  for (const path of paths)
    if (await exists(path))
      folders.push({ path, bytes: await bytesIn(path), isInstallation: path !== downloadsIn(home) });
  return folders;
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const { path, entry } of await entriesBelow(folder).catch(() => []))
    if (entry.isFile()) bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
  return bytes;
}

/**
 * Removes folders that {@link foldersIn} found.
 * @returns those that stay, for somebody else's files in them
 * @throws UsageError while another process installs
 */
export async function removeFolders(home: string, folders: readonly InstalledFolder[]): Promise<readonly string[]> {
  const unlock = await lockFolder(home, { command: "rpo gpu install", otherMachines: false });
  try {
    const left: string[] = [];
    for (const { path, isInstallation } of folders)
      if (!isInstallation) await rm(path, { recursive: true, force: true });
      else if (!(await removeInstallation(path))) left.push(path);
    return left;
  } finally {
    await unlock();
  }
}
