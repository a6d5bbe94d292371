import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exportCheckpoint } from "../../src/commands/export/run.ts";
import { judgeCheckpoints } from "../../src/judging/judge.ts";
import type { JudgeTask } from "../../src/judging/task.ts";
import type { ProgressEvent, RunEvent, ValidationEvent } from "../../src/runs/events.ts";
import { readEvents } from "../../src/runs/folder.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { openSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { makePhotos, MODEL, temporaryFolder } from "./cli.ts";
import { runHere, shortRequest } from "./in-process.ts";
import { textOf } from "../../src/system/message.ts";

/** A training whose checkpoints are given other trainers' names, and judged. */

export const photos = await makePhotos(3);
export const STEPS = [2, 4, 6];
export const silent = { emit: () => undefined };

/** Two prompts, so that a judging takes a second. */
export const prompts = join(await temporaryFolder(), "prompts.txt");
await writeFile(prompts, "a {token} {class} on the Moon\na {token} {class} in the snow\n");
export const LEARNING = { prompts, learningRate: 0.05, steps: 6, subject: undefined } as const;

export const validationsOf = async (folder: string): Promise<ValidationEvent[]> =>
  (await readEvents(folder)).filter((event) => event.type === "validation");

/** A run, and its checkpoints as kohya's files, by step. */
export interface Training {
  readonly run: string;
  fileOf(step: number): string;
  /** A folder with the run's checkpoints under other names. @param header texts in their headers, by step */
  named(
    names: Readonly<Record<string, number>>,
    header?: (step: number) => Readonly<Record<string, string>>,
  ): Promise<string>;
  /** Writes a step's file, with texts in its header. */
  put(path: string, step: number, header?: Readonly<Record<string, string>>): Promise<void>;
}

export async function makeTraining(): Promise<Training> {
  const request = await shortRequest(photos, LEARNING);
  const run = request.output;
  await runHere(request);
  const files = await temporaryFolder();
  const fileOf = (step: number) => join(files, `${step}.safetensors`);
  for (const step of STEPS) {
    const adapter = join(run, "checkpoints", String(step).padStart(6, "0"));
    const source = {
      source: adapter,
      adapter,
      model: MODEL,
      variant: undefined,
      vae: undefined,
      prediction: undefined,
      guidance: 1,
      run: undefined,
    };
    await exportCheckpoint({ ...source, format: "kohya", output: fileOf(step), dtype: "F32", threads: 1 }, silent);
  }
  const put: Training["put"] = async (path, step, header) => {
    await mkdir(dirname(path), { recursive: true });
    if (header === undefined) return copyFile(fileOf(step), path);
    const file = await openSafetensors(fileOf(step));
    const tensors = [];
    for (const key of file.tensors.keys()) tensors.push({ name: key, tensor: await file.read(key) });
    await writeSafetensors(path, tensors, { metadata: header });
  };
  return {
    run,
    fileOf,
    put,
    async named(names, header) {
      const folder = await temporaryFolder();
      for (const [name, step] of Object.entries(names)) await put(join(folder, name), step, header?.(step));
      return folder;
    },
  };
}

export interface JudgeHere extends Partial<Omit<JudgeTask, "request" | "judging">> {
  readonly request?: Partial<TrainRequest>;
  readonly samples?: string;
  readonly until?: (event: RunEvent | ProgressEvent) => boolean;
}

/** Judges in the test's own process. @returns the result, with what was told meanwhile */
export async function judgeHere(
  checkpoints: readonly string[],
  { request, samples, until = () => false, ...options }: JudgeHere = {},
) {
  const abort = new AbortController();
  const warnings: string[] = [];
  const events: (RunEvent | ProgressEvent)[] = [];
  const wanted = await shortRequest(photos, { prompts, ...request });
  const task = {
    request: wanted,
    judging: { checkpoints, ...(samples !== undefined && { samples }) },
    watch: false,
    patience: { quietMs: 400, settleMs: 30, lookMs: 30 },
    ...options,
  };
  const result = await judgeCheckpoints(task, {
    emit(event) {
      events.push(event);
      if (event.type === "warning") warnings.push(textOf(event.text));
      if (until(event)) abort.abort();
    },
    signal: abort.signal,
    confirm: () => Promise.resolve(true),
  });
  return { ...result, warnings, events, output: wanted.output };
}
