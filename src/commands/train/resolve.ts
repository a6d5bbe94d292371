import { join, resolve } from "node:path";
import { EMBEDDED_MODEL } from "../../checkpoints/embedded.ts";
import { listImages } from "../../images/folder.ts";
import { FEWEST } from "../../reward/fixed-loss.ts";
import { BENCHMARK_FILE, holdsRun } from "../../runs/folder.ts";
import { readConfigFile } from "../../settings/config-file.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import { subjectsOf } from "../../settings/subjects.ts";
import { TRAINING_MODELS, type TrainRequest } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { TENSORBOARD_FOLDER } from "../../tensorboard/folder.ts";
import { listPhotos } from "../../training/photos.ts";
import { readPrompts, recordedKind } from "../../training/prompts.ts";
import type { Interaction } from "../interaction.ts";
import { chooseMachine } from "../machine.ts";
import { readModelDefaults } from "../models/defaults.ts";
import { areOnHub, findModels, trainingModels } from "../models/hub-models.ts";
import { checkModel, modelFolder } from "../models/names.ts";
import { checkFolder, checkOutput, freeOutput } from "../paths.ts";
import { checkOptimizer } from "./check-optimizer.ts";
import { checkTexts } from "./check-texts.ts";
import { withConcepts } from "./concepts.ts";
import { parseTrain } from "./parse.ts";
import { resumedRequest } from "./resume.ts";

/** What is asked of a training. */
export interface WantedTraining {
  readonly settings: GivenSettings;
  /** A file with settings, over which those given win. */
  readonly config?: string | undefined;
  readonly resume: boolean;
  /** What else to write the run's events to. */
  readonly log?: string | undefined;
}

/** A training as the engine is told of it. */
export interface TrainTask {
  readonly request: TrainRequest;
  readonly resume: boolean;
  /** Whether to load, check and measure everything, and write nothing. */
  readonly dryRun?: boolean;
  /** Whether to write event files for TensorBoard too. */
  readonly tensorBoard?: boolean;
}

/** What the engine is told, everything checked that can be without reading a model. @throws UsageError, ModelError */
export async function resolveTraining(wanted: WantedTraining, interaction: Interaction): Promise<TrainTask> {
  const { log, resume } = wanted;
  if (log !== undefined && log !== "tensorboard")
    throw new UsageError(say`${setting("log", JSON.stringify(log))}: expected tensorboard`);
  const request = await resolveRequest(wanted, interaction);
  // A run that was logged stays so.
  const logged = resume && (await exists(join(request.output, TENSORBOARD_FOLDER)));
  // A run that goes on checks its own photos and models, and needs none when it is finished.
  if (!resume) await checkInputs(request);
  return { request, resume, tensorBoard: log !== undefined || logged };
}

/** Flags over the config file; with --resume the run's own settings, which flags may repeat but not contradict. */
export async function resolveRequest(
  { settings, config, resume }: WantedTraining,
  interaction: Interaction,
): Promise<TrainRequest> {
  const file = config === undefined ? {} : await readConfigFile(config);
  if (resume) {
    const again = await withConcepts({ flags: { ...file, ...settings }, config: {} }, { isBegun: true });
    return resumedRequest(again.flags, interaction);
  }
  const given = await withConcepts({ flags: settings, config: file });
  const { output, ...request } = await parseWithModel(given.flags, given.config, interaction);
  await checkFree(output);
  const machine = await chooseMachine(request, interaction);
  if (machine.precision === "float16" && request.adapter === "full")
    throw new UsageError(
      say`${setting("precision", "float16")}: a whole U-Net trains in float32; use ${setting("adapter", "lora")} or another ${setting("precision")}`,
    );
  checkTexts(request, machine);
  checkOptimizer(request);
  checkStop(request);
  if (request.warmup >= request.steps)
    throw new UsageError(
      say`${setting("warmup", request.warmup)}: expected fewer than the ${request.steps} of ${setting("steps")}`,
    );
  if (request.maskOutside !== 0 && !request.maskedLoss)
    throw new UsageError(
      say`${setting("maskOutside", request.maskOutside)} weighs what masks leave out: it needs ${setting("maskedLoss")}`,
    );
  const classes = subjectsOf(request).map(({ class: className }) => className);
  const free = () => freeOutput(classes.join(" "));
  return { ...request, ...machine, ...recordedKinds(request), output: output ?? (await free()) };
}

/** What a new run has to say of its subjects' kinds, which decide on the default prompts. */
function recordedKinds({
  prompts,
  subject,
  class: className,
  concepts,
}: Pick<TrainRequest, "prompts" | "subject" | "class" | "concepts">): Pick<TrainRequest, "subject" | "concepts"> {
  if (prompts !== undefined) return { subject, concepts };
  if (concepts === undefined) return { subject: recordedKind(subject, className), concepts };
  const kinds = concepts.map((each) => recordedKind(each.subject, each.class));
  return { concepts: concepts.map((each, i) => ({ ...each, ...(kinds[i] !== undefined && { subject: kinds[i] }) })) };
}

/** @throws UsageError where a rule of stopping lacks what it watches */
function checkStop({
  stop,
  earlyStopping,
  holdOut,
  stopEvery,
  stopWindow,
  steps,
}: Pick<TrainRequest, "stop" | "earlyStopping" | "holdOut" | "stopEvery" | "stopWindow" | "steps">): void {
  if (stop !== "reward" && !earlyStopping)
    throw new UsageError(
      say`${setting("stop", stop)}: nothing stops early with ${setting("noEarlyStopping")}; leave one of them out`,
    );
  if (stop === "held-out" && holdOut === undefined)
    throw new UsageError(say`${setting("stop", stop)} needs ${setting("holdOut")}, the photo whose loss it watches`);
  if (stop === "variance" && stopWindow < FEWEST * stopEvery)
    throw new UsageError(
      say`${setting("stopWindow", stopWindow)}: expected at least ${FEWEST * stopEvery}, ${FEWEST} measurements ${setting("stopEvery", stopEvery)} apart; with fewer it never stops`,
    );
  if (stop !== "reward" && stopEvery > steps)
    throw new UsageError(
      say`${setting("stopEvery", stopEvery)}: expected at most the ${steps} of ${setting("steps")}; else nothing is measured`,
    );
}

/** @throws UsageError where there is a run */
async function checkFree(output: string | undefined): Promise<void> {
  if (output !== undefined && (await holdsRun(output)))
    throw new UsageError(
      say`${setting("output", output)}: already holds a run; continue it with ${setting("resume")} or choose another folder`,
    );
  if (output !== undefined && (await exists(join(output, BENCHMARK_FILE))))
    throw new UsageError(say`${setting("output", output)}: already holds a benchmark; choose another folder`);
}

/** Settings with their models found, on the hub too, and with the defaults that the model has. */
export async function parseWithModel(
  flags: GivenSettings,
  config: GivenSettings,
  interaction: Interaction,
): Promise<ReturnType<typeof parseTrain>> {
  const draft = await parseWithDefaults(flags, config);
  const models = trainingModels({ ...config, ...flags });
  if (!(await areOnHub(Object.values(models)))) return draft;
  // Other mistakes are reported before anything is fetched.
  await checkFree(draft.output);
  await checkOwn({ ...draft, output: draft.output ?? "runs" });
  return parseWithDefaults({ ...flags, ...(await findModels(models, interaction)) }, config);
}

async function parseWithDefaults(flags: GivenSettings, config: GivenSettings): Promise<ReturnType<typeof parseTrain>> {
  const given = { ...config, ...flags };
  const { model = EMBEDDED_MODEL } = given;
  const defaults = typeof model === "string" ? await readModelDefaults(modelFolder("model", model), given) : {};
  return parseTrain({ flags, config, model: defaults });
}

/** What can be seen without reading a model. */
export async function checkInputs(request: TrainRequest): Promise<void> {
  await checkOwn(request);
  for (const name of TRAINING_MODELS) {
    const folder = request[name];
    if (folder !== undefined) await checkModel(name, folder);
  }
}

/** What is the user's own. */
async function checkOwn({
  images,
  holdOut,
  prompts,
  classFolder,
  concepts,
  output,
}: Pick<TrainRequest, "images" | "holdOut" | "prompts" | "classFolder" | "concepts" | "output">): Promise<void> {
  await checkFolder("images", images, "a folder with pictures");
  await listPhotos({ images, holdOut });
  if (subjectsOf({ images, concepts }).some((each) => resolve(output) === each.images))
    throw new UsageError(say`${setting("output", output)}: this is the photos' folder; choose another one`);
  if (prompts !== undefined) await readPrompts(prompts);
  if (classFolder !== undefined) {
    await checkFolder("classFolder", classFolder, "a folder with pictures of the class");
    await listImages(classFolder, "classFolder");
  }
  await checkOutput(output);
}
