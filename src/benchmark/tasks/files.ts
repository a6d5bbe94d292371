import { mkdir, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { z } from "zod";
import { BENCHMARK_FILE } from "../../runs/folder.ts";
import { UsageError, type Message } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { exists, readJson, writeJson } from "../../system/files.ts";
import { parseAs } from "../../system/json.ts";
import type { BenchTask, TaskReference } from "./tasks.ts";
import { TASK_SETTINGS, type SettingsOf, type TaskKind } from "./settings.ts";

/**
 * What is to be done is said by a file in the benchmark's folder, and not by the queue, which only says that it is due: who can write to a
 * Redis can have done what a benchmark asks for, and nothing else.
 */

/** <benchmark>/tasks/train-0123456789abcdef.json */
function fileOf(folder: string): string {
  const kind = dirname(folder);
  return join(dirname(kind), "tasks", `${basename(kind)}-${basename(folder)}.json`);
}

export async function writeTask({ folder, settings }: BenchTask): Promise<void> {
  const path = fileOf(folder);
  await mkdir(dirname(path), { recursive: true });
  await writeJson(path, settings);
}

/**
 * The work that a job stands for.
 * @param root the only folder below which benchmarks are served, links resolved; undefined: any
 * @throws UsageError when its folder is in no benchmark's folder that asks for it, or not below `root`
 */
export async function readTask({ kind, folder }: TaskReference, root: string | undefined): Promise<BenchTask> {
  const benchmark = dirname(dirname(folder));
  const refuse = (why: Message): never => {
    throw new UsageError(say`the job's folder ${folder}: ${why}`);
  };
  if (!(await exists(join(benchmark, BENCHMARK_FILE))))
    refuse(
      `no benchmark is in ${benchmark} (expected ${BENCHMARK_FILE}); does this machine see it under the same path?`,
    );
  // the benchmark's folder, or that of its kind of work, may be a link
  const nearest = (await exists(dirname(folder))) ? dirname(folder) : benchmark;
  for (const place of [benchmark, nearest])
    if (root !== undefined && !isBelow(await realpath(place), root)) refuse(say`not below ${setting("root", root)}`);
  const path = fileOf(folder);
  if (!(await exists(path))) refuse(`the benchmark does not ask for it (expected ${path})`);
  const schema: z.ZodType<SettingsOf<TaskKind>> = TASK_SETTINGS[kind];
  const settings = parseAs(schema, await readJson(path, UsageError), path, UsageError);
  return { kind, folder, settings } as BenchTask;
}

function isBelow(path: string, root: string): boolean {
  const inside = relative(root, path);
  return inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}
