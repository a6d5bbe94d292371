import { basename, join } from "node:path";
import { readRunConfig } from "../runs/config.ts";
import { holdsRun } from "../runs/folder.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { readProgress } from "../runs/state.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { terminal } from "./terminal.ts";
import { conclude, introduce, listSubjects, say } from "./demo-words.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { DEMO } from "../settings/demo.ts";
import { createProgress } from "./progress.ts";
import { PHOTOS_ALONE } from "./report.ts";
import { bundledSubject } from "./subjects.ts";
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
  const { subject: name, output: wanted } = parseTable(DEMO, settings);
  const subject = await bundledSubject(name);
  const output = await demoFolder(name, wanted);
  const resumed = await holdsRun(output);
  const asked = resumed
    ? { ...training, output }
    : { ...training, images: subject.folder, class: subject.class, output };
  const run = await resolveRequest({ settings: asked, config, resume: resumed }, terminal);
  await checkInputs(run);

  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
    () => isPreparing(progress.phase),
    goesOn(name, output),
  );
  const train = async (request: TrainRequest): Promise<boolean> => {
    const flags = { resume: await holdsRun(request.output), yes: true, json };
    return (await runTraining(request, flags, progress, interrupt.signal)).reason !== "interrupted";
  };
  try {
    introduce.run(subject, run);
    if (!(await train(run))) return interrupted(name, output);
    const photosAlone = withoutPreference(run);
    introduce.photosAlone(photosAlone);
    if (!(await train(photosAlone))) return interrupted(name, output);
    await conclude(run, photosAlone, { json });
    return EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** The same steps on the photos alone, validated only at the end. */
function withoutPreference(run: TrainRequest): TrainRequest {
  return {
    ...run,
    preference: false,
    earlyStopping: false,
    validateEvery: run.steps,
    output: join(run.output, PHOTOS_ALONE),
  };
}

function interrupted(subject: string, output: string): number {
  say(`stopped; ${goesOn(subject, output)}`);
  return EXIT.interrupted;
}

function goesOn(subject: string, output: string): string {
  return `rpo demo --subject ${subject} --output ${output} goes on`;
}

/** The folder of a demo: a free one, or one of the same subject that was interrupted. @throws UsageError when it is taken */
async function demoFolder(subject: string, wanted: string | undefined): Promise<string> {
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

async function canGoTo(folder: string, subject: string): Promise<boolean> {
  if (!(await exists(folder)) || !(await holdsRun(folder))) return true;
  // by name: the package, with its photos, may have moved
  if (basename((await readRunConfig(folder)).settings.images) !== subject) return false;
  const last = join(folder, PHOTOS_ALONE);
  return !((await holdsRun(last)) && (await readProgress(last))?.finished === true);
}
