import { rm } from "node:fs/promises";
import { join } from "node:path";
import { makePhotos } from "../../benchmark/subjects/tinybench.ts";
import { resolveTraining } from "../../commands/train/resolve.ts";
import { runTask } from "../../engine/host.ts";
import { listImages } from "../../images/folder.ts";
import { CHECKPOINTS, holdsRun } from "../../runs/folder.ts";
import { exists, makeFolder, readJson, writeJson } from "../../system/files.ts";
import type { Subject } from "../../world/subjects.ts";
import { TINYBENCH } from "../../world/tinybench.ts";
import { gradeRun, type GradedRun } from "./grade-run.ts";
import { ownPrompts, studyPrompts } from "./prompts.ts";
import type { StudyRun } from "./studies.ts";

export interface PerformOptions {
  /** The study's folder. */
  readonly output: string;
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** Where a run's figures are. */
export function gradedPath(output: string, { name }: StudyRun): string {
  return join(output, "graded", `${name}.json`);
}

/** @returns undefined where the run has not been graded */
export async function readGraded(output: string, run: StudyRun): Promise<GradedRun | undefined> {
  const path = gradedPath(output, run);
  // the study's own file
  return (await exists(path)) ? ((await readJson(path)) as GradedRun) : undefined;
}

/** Trains and grades; goes on with what was begun, and leaves what is there. @returns false when interrupted */
export async function performRun(run: StudyRun, options: PerformOptions): Promise<boolean> {
  const { output, threads } = options;
  const file = gradedPath(output, run);
  if (await exists(file)) return true;
  const subject = subjectOf(run);
  const prompts = join(output, "prompts", `${subject.name}.json`);
  await makeFolder(join(output, "prompts"));
  await writeJson(prompts, studyPrompts(await ownPrompts(subject.className)));
  const folder = await train(run, prompts, options);
  if (folder === undefined) return false;
  const graded = await gradeRun(run, {
    subject,
    folder,
    photos: await listImages(await photosOf(run, output)),
    threads,
  });
  await makeFolder(join(file, ".."));
  await writeJson(file, graded);
  await rm(join(folder, CHECKPOINTS), { recursive: true, force: true });
  return true;
}

/** The folder of a run's photos, which are rendered where they are not there. */
export async function photosOf(run: StudyRun, output: string): Promise<string> {
  const images = join(output, "photos", run.surroundings, run.subject);
  if (!(await exists(images))) await makePhotos(subjectOf(run), run.surroundings, images);
  return images;
}

/**
 * Trains, from the beginning or from where it was interrupted.
 * @param prompts their file
 * @returns the run's folder; undefined when interrupted
 */
export async function train(
  run: StudyRun,
  prompts: string,
  { output, threads, signal }: PerformOptions,
): Promise<string | undefined> {
  const folder = join(output, "runs", run.name);
  const resume = await holdsRun(folder);
  const images = await photosOf(run, output);
  const own = { images, class: subjectOf(run).className, prompts, model: "tiny", device: "cpu" } as const;
  const task = await resolveTraining(
    { settings: resume ? { output: folder } : { ...run.settings, ...own, threads, output: folder }, resume },
    { fetch: () => Promise.reject(new Error("a study needs no model from the hub")), warn: () => undefined },
  );
  const { reason } = await runTask("train", task, { signal });
  return reason === "interrupted" ? undefined : folder;
}

/** @throws Error for a name that is not in the world's benchmark */
export function subjectOf({ subject }: StudyRun): Subject {
  const found = TINYBENCH.find(({ name }) => name === subject);
  if (found === undefined) throw new Error(`no subject ${subject}`);
  return found;
}
