import { createInterface } from "node:readline/promises";
import { checkHome, downloadsIn, installCuda } from "../gpu/install.ts";
import { foldersIn, removeFolders, statusOf } from "../gpu/installed.ts";
import { findIndex } from "../gpu/pip-config.ts";
import { planInstallation, platformHere, sizesOf, type Plan } from "../gpu/plan.ts";
import { gpuHome, installationFolder } from "../runtime/cuda/installation.ts";
import { runtimeVersion } from "../runtime/cuda/runtime-version.ts";
import { packagedLibrary } from "../runtime/ort/library.ts";
import { GPU_INSTALL } from "../settings/gpu.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { bytesText } from "../system/bytes-text.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { printable } from "../system/printable.ts";
import { EXIT } from "./failure.ts";
import { createProgress, type Progress } from "./progress.ts";
import { toMegabytes } from "./terminal.ts";

interface InstallControl {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `rpo gpu install`. @returns the exit code */
export async function gpuInstallCommand(
  wheels: readonly string[],
  given: GivenSettings,
  { yes, dryRun, json }: InstallControl,
): Promise<number> {
  const { from, index } = parseTable(GPU_INSTALL, given);
  const platform = platformHere();
  const home = gpuHome();
  if (!dryRun) await checkHome(home);
  const progress = createProgress();
  return stoppable(progress, async (signal) => {
    const onProgress = (done: number, total: number, name: string) =>
      progress.update("megabytes", toMegabytes(done), toMegabytes(total), name);
    const plan = await planInstallation({
      version: runtimeVersion(),
      platform,
      wheels,
      from,
      index: await findIndex(index),
      downloads: downloadsIn(home),
      signal,
      say: (line) => progress.log(line),
      onProgress,
    });
    try {
      progress.stop();
      if (json) process.stdout.write(`${JSON.stringify({ type: "plan", ...planAsData(plan) })}\n`);
      else process.stdout.write(describePlan(plan, home));
      if (dryRun) return EXIT.done;
      if (!(await agreed(yes, "Fetch and install them, under these licences? [y/N] ", signal)))
        return signal.aborted ? EXIT.interrupted : EXIT.done;
      const folder = await installCuda(plan, { home, library: packagedLibrary(), signal, onProgress });
      progress.stop();
      if (json) process.stdout.write(`${JSON.stringify({ type: "installed", folder })}\n`);
      else process.stdout.write(`installed in ${printable(folder)}; rpo doctor tries it\n`);
      return EXIT.done;
    } finally {
      await plan.close();
    }
  });
}

/** Ctrl-C stops; what has been fetched stays. */
async function stoppable(progress: Progress, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    progress.stop();
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/** Asks, where there is somebody to answer. @throws UsageError where there is not */
async function agreed(yes: boolean, question: string, signal: AbortSignal): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(say`nobody is here to be asked; ${setting("yes")} says that you agree`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.on("SIGINT", () => process.emit("SIGINT"));
  const answer = await prompt.question(question, { signal }).catch(() => "n"); // Ctrl-C, or no more input
  prompt.close();
  return /^\s*y/i.test(answer);
}

function planAsData(plan: Plan) {
  return {
    onnxruntime: plan.version,
    ...sizesOf(plan),
    packages: plan.packages.map(({ name, version, licence, from, files }) => ({
      name,
      version,
      licence,
      from,
      files: files.map((file) => ({ name: file.name, bytes: file.bytes, size: file.size })),
    })),
  };
}

/** What would be installed: packages with their licences, files with their sizes. */
export function describePlan(plan: Plan, home: string): string {
  const { bytes, size } = sizesOf(plan);
  const lines = plan.packages.flatMap(({ name, version, licence, from, files }) => [
    `${name} ${version}, ${licenceInWords(licence)}`,
    `  from ${placeInWords(from)}`,
    ...files.map(
      (file) => `  ${bytesText(file.bytes).padStart(7)} -> ${bytesText(file.size).padStart(7)}  ${file.name}`,
    ),
  ]);
  return [...lines, `${bytesText(bytes)} to fetch or read, ${bytesText(size)} in ${home}`, ""]
    .map(printable)
    .join("\n");
}

/** "files.example: package-1.0-py3-none-any.whl"; a path as it is. */
function placeInWords(from: string): string {
  if (!/^https?:/.test(from) || !URL.canParse(from)) return from;
  const { host, pathname } = new URL(from);
  return `${host}: ${pathname.slice(pathname.lastIndexOf("/") + 1)}`;
}

function licenceInWords(licence: string): string {
  return licence === "LicenseRef-NVIDIA-Proprietary"
    ? "NVIDIA's own licence (https://docs.nvidia.com/cuda/eula)"
    : licence;
}

/** `rpo gpu status`. @returns the exit code: failed when --device cuda would not find what it needs */
export async function gpuStatusCommand({ json }: { readonly json: boolean }): Promise<number> {
  const status = await statusOf(gpuHome(), installationFolder());
  if (json) process.stdout.write(`${JSON.stringify({ type: "status", ...status })}\n`);
  else {
    const { folder, problem, packages, folders } = status;
    const lines = [
      problem ?? `whole, in ${folder}`,
      ...packages.map(({ name, version, from }) => `  ${name} ${version}, from ${placeInWords(from)}`),
      ...folders.map(
        ({ path, bytes, isInstallation }) =>
          `  ${bytesText(bytes)} in ${path}${isInstallation ? "" : ", of a download that was stopped"}`,
      ),
    ];
    process.stdout.write(`${lines.map(printable).join("\n")}\n`);
  }
  return status.works ? EXIT.done : EXIT.failed;
}

interface RemoveControl {
  readonly yes: boolean;
  readonly json: boolean;
}

/** `rpo gpu remove`. @returns the exit code */
export async function gpuRemoveCommand({ yes, json }: RemoveControl): Promise<number> {
  const home = gpuHome();
  const folders = await foldersIn(home);
  const tell = (line: string) => {
    if (!json) process.stdout.write(`${printable(line)}\n`);
  };
  if (folders.length === 0) tell(`nothing is installed in ${home}`);
  for (const { path, bytes } of folders) tell(`${bytesText(bytes)} in ${path}`);
  return stoppable(createProgress(), async (signal) => {
    if (folders.length > 0) {
      if (!(await agreed(yes, "Remove? [y/N] ", signal))) return signal.aborted ? EXIT.interrupted : EXIT.done;
      const left = await removeFolders(home, folders);
      tell("removed");
      for (const path of left) tell(`${path} stays, for others' files in it`);
    }
    if (json) process.stdout.write(`${JSON.stringify({ type: "removed", folders })}\n`);
    return EXIT.done;
  });
}
