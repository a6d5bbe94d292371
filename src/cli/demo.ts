import { basename, dirname, join } from "node:path";
import { readRunConfig } from "../runs/config.ts";
import { holdsRun } from "../runs/folder.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { defaultOutput } from "../report/read.ts";
import { readProgress } from "../runs/state.ts";
import { UsageError } from "../system/errors.ts";
import { Interrupted } from "../system/failure.ts";
import { exists } from "../system/files.ts";
import { terminal } from "./terminal.ts";
import { conclude, introduce, listSubjects, say } from "./demo-words.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { DEMO } from "../settings/demo.ts";
import { createProgress } from "./progress.ts";
import { PHOTOS_ALONE } from "../report/read.ts";
import { bundledSubject, type BundledSubject } from "./subjects.ts";
import { isLive } from "../training/live-words.ts";
import { checkInputs, resolveRequest } from "../commands/train/resolve.ts";
import { isPreparing, runTraining } from "./train.ts";

export interface DemoFlags {
  /** Of the demo. */
  readonly settings: GivenSettings;
  /** Of its trainings. */
  readonly training: GivenSettings;
  readonly config?: string | undefined;
  readonly listSubjects: boolean;
  readonly json: boolean;
}

/** Where the demo goes unless told otherwise. */
const DEFAULT_OUTPUT = join("runs", "demo");

/**
 * `rpo demo`: the whole method on a bundled subject, step by step: a run, the same without the preference, a table and a report. One that
 * was interrupted goes on where it was.
 * @returns the exit code
 */
export async function demoCommand({
  settings,
  training,
  config,
  listSubjects: list,
  json,
}: DemoFlags): Promise<number> {
  if (list) return listSubjects({ json });
  const { subject: name, surroundings, output: wanted } = parseTable(DEMO, settings);
  const subject = await bundledSubject(name, surroundings);
  const output = await demoFolder(subject, wanted);
  const where = surroundings === "home" ? "" : ` --surroundings ${surroundings}`;
  const again = `rpo demo --subject ${name}${where} --output ${output} goes on`;
  const resumed = await holdsRun(output);
  const asked = resumed
    ? { ...training, output }
    : { ...training, images: subject.folder, class: subject.class, ...kindOf(subject, config), output };
  const run = await resolveRequest({ settings: asked, config, resume: resumed }, terminal);
  await checkInputs(run);

  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
    () => isPreparing(progress.phase),
    again,
  );
  const train = async (request: TrainRequest): Promise<boolean> => {
    const flags = { resume: await holdsRun(request.output), yes: true, json };
    return (await runTraining(request, flags, progress, interrupt.signal)).reason !== "interrupted";
  };
  try {
    introduce.run(subject, run);
    if (!(await train(run))) return interrupted(again);
    const photosAlone = await withoutPreference(run);
    introduce.photosAlone(photosAlone);
    if (!(await train(photosAlone))) return interrupted(again);
    const { signal } = interrupt;
    const onExam = (models: number) => introduce.exam(models);
    const { outcomeOf } = await import("./demo-outcome.ts"); // brings models with it
    await conclude(run, await outcomeOf(run, photosAlone, { subject: name, progress, signal, onExam }), { json });
    return EXIT.done;
  } catch (error) {
    if (error instanceof Interrupted) return interrupted(again);
    throw error;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** The same steps on the photos alone, validated as often. */
async function withoutPreference(run: TrainRequest): Promise<TrainRequest> {
  const output = join(run.output, PHOTOS_ALONE);
  if (await holdsRun(output)) return resolveRequest({ settings: { output }, resume: true }, terminal);
  return { ...run, preference: false, earlyStopping: false, output };
}

function interrupted(again: string): number {
  say(`stopped; ${again}`);
  return EXIT.interrupted;
}

/** The folder of a demo: a free one, or one of the same subject that was interrupted. @throws UsageError when it is taken */
async function demoFolder(subject: BundledSubject, wanted: string | undefined): Promise<string> {
  if (wanted !== undefined) {
    if (await canGoTo(wanted, subject)) return wanted;
    throw new UsageError(
      `--output ${wanted}: already holds a run that is finished or of another subject; choose another folder`,
    );
  }
  for (let n = 1; ; n++) {
    const folder = n === 1 ? DEFAULT_OUTPUT : `${DEFAULT_OUTPUT}-${n}`;
    if (await canGoTo(folder, subject)) return folder;
  }
}

async function canGoTo(folder: string, subject: BundledSubject): Promise<boolean> {
  if (!(await exists(folder)) || !(await holdsRun(folder))) return true;
  // by name: the package, with its photos, may have moved
  const { images } = (await readRunConfig(folder)).settings;
  const place = (path: string) => join(basename(dirname(path)), basename(path));
  if (place(images) !== place(subject.folder)) return false;
  const last = join(folder, PHOTOS_ALONE);
  const areTrained = (await holdsRun(last)) && (await readProgress(last))?.finished === true;
  // the exam comes after both runs, and the report last
  return !(areTrained && (await exists(defaultOutput(folder))));
}

/** What a class word would decide as well, said so that the training need not tell what it made of the word; a file of settings may say otherwise. */
function kindOf({ class: className }: BundledSubject, config: string | undefined): GivenSettings {
  return config === undefined ? { subject: isLive(className) ? "live" : "object" } : {};
}
