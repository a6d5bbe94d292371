import { FEWEST } from "../../reward/fixed-loss.ts";
import { join, resolve, sep } from "node:path";
import { EMBEDDED_MODEL, embeddedPart } from "../../checkpoints/embedded.ts";
import { cacheOfSnapshot, readRef, repoOfSnapshot } from "../../hub/cache.ts";
import { DEFAULT_REVISION } from "../../hub/names.ts";
import { TENSORBOARD_FOLDER } from "../../tensorboard/folder.ts";
import { listPhotos } from "../../training/photos.ts";
import { readPrompts, recordedKind } from "../../training/prompts.ts";
import { readRunConfig } from "../../runs/config.ts";
import { BENCHMARK_FILE, holdsRun } from "../../runs/folder.ts";
import { readConfigFile } from "../../settings/config-file.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import { namesOf, withoutOthers } from "../../settings/setting.ts";
import { TRAIN } from "../../settings/train.ts";
import { TRAINING_MODELS, type TrainingModel, type TrainRequest } from "../../settings/train-settings.ts";
import { isOver } from "../../runs/growth.ts";
import { UsageError, type Message } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { exists } from "../../system/files.ts";
import { chooseMachine } from "../machine.ts";
import type { Interaction } from "../interaction.ts";
import { areOnHub, findModels, restoreModel, trainingModels } from "../models/hub-models.ts";
import { readModelDefaults } from "../models/defaults.ts";
import { checkThere } from "../models/moved.ts";
import { checkModel, hubNameOf, modelFolder } from "../models/names.ts";
import { listImages } from "../../images/folder.ts";
import { checkFolder, checkOutput, freeOutput } from "../paths.ts";
import { subjectsOf } from "../../settings/subjects.ts";
import { checkOptimizer } from "./check-optimizer.ts";
import { checkTexts } from "./check-texts.ts";
import { checkConceptsThere, conceptsNow, withConcepts } from "./concepts.ts";
import { parseTrain } from "./parse.ts";

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

async function resumedRequest(given: GivenSettings, interaction: Interaction): Promise<TrainRequest> {
  const { output, threads, ...rest } = given;
  // a run goes on where it was
  const { device, ...apart } = rest;
  const others = device === "auto" ? apart : rest;
  if (typeof output !== "string" || output.trim() === "")
    throw new UsageError(say`${setting("resume")} needs ${setting("output")}, the folder of the run to continue`);
  if (!(await holdsRun(output))) throw new UsageError(say`${setting("resume")}: no run in ${output} to continue`);
  const { settings: saved, judging } = await readRunConfig(output);
  if (judging !== undefined)
    throw new UsageError(
      say`${setting("output", output)}: this run judges the checkpoints of another program; rpo judge goes on with it`,
    );
  const run = withoutOthers(TRAIN, saved);
  const concepts = await conceptsNow(given["concepts"], saved.concepts);
  const again = given["concepts"] === undefined ? undefined : concepts && { concepts, images: concepts[0].images };
  const wanted = parseTrain({ flags: { ...(await withoutSame(others, saved)), ...again, output }, run });
  const known: GivenSettings = { ...parseTrain({ flags: { output }, run }) };
  const finished = await isOver(output, wanted.steps);
  if (concepts !== undefined && !finished) await checkConceptsThere(concepts);
  const grows = wanted.steps > saved.steps;
  if (grows && saved.schedule === "cosine")
    throw new UsageError(
      say`${setting("steps", wanted.steps)}: the run's learning rate falls to 0 at step ${saved.steps} (${setting("schedule", saved.schedule)}), so that it cannot end as one of more steps; start a new run`,
    );
  const moved = [...(finished ? [] : await goneOf(saved)), ...Object.keys(again ?? {})];
  for (const [key, value] of Object.entries(wanted))
    if (
      key !== "threads" &&
      !moved.includes(key) &&
      !(key === "steps" && grows) &&
      JSON.stringify(value) !== JSON.stringify(known[key])
    )
      throw new UsageError(
        say`${setting("resume")}: ${contradiction(nameIn(given, key), value, known[key])}; leave it out, or start a new run`,
      );
  const isGone = concepts === undefined && moved.includes("images");
  if (isGone && wanted.images === saved.images)
    throw new UsageError(
      say`${setting("resume")}: the run's photos are no longer in ${saved.images}; say where they are with ${setting("images")}`,
    );
  if (isGone) await checkFolder("images", wanted.images, "a folder with pictures");
  const paths = finished
    ? {}
    : { ...(await restorePaths({ ...saved, output }, wanted, interaction)), images: wanted.images, ...again };
  const { steps } = wanted;
  if (threads === undefined) return { ...saved, ...paths, steps, output };
  const request = { ...saved, ...paths, steps, output, threads: parseTrain({ flags: { threads }, run }).threads };
  if (request.threads !== saved.threads)
    interaction.warn(
      `the run was begun with ${saved.threads} threads; with ${request.threads} its results will differ in the last bits`,
    );
  return request;
}

/** Those of a run's photos and models that are no longer where they were. They are known by their content, and may be elsewhere. */
async function goneOf(saved: TrainRequest): Promise<string[]> {
  const gone: string[] = [];
  for (const key of ["images", ...TRAINING_MODELS] as const) {
    const path = saved[key];
    if (path !== undefined && !(await exists(path))) gone.push(key);
  }
  return gone;
}

/** What a setting was given as. */
function nameIn(given: GivenSettings, key: string): string {
  return namesOf(TRAIN, key).find((name) => name in given) ?? key;
}

function contradiction(name: string, value: unknown, known: unknown): Message {
  if (name === "steps")
    return say`${setting(name, String(value))} is less than the run's ${String(known)}, which can only grow`;
  if (value === false) return say`the run was begun without ${setting(`no${name[0].toUpperCase()}${name.slice(1)}`)}`;
  return say`${setting(name, JSON.stringify(value))} differs from the run's ${JSON.stringify(known)}`;
}

/**
 * Where the run's models are now, and the file of prompts if it came with the model.
 * @param wanted what was asked for: another place than the run's where the model is no longer there
 * @throws UsageError when a model is neither where it was nor where it is said to be
 */
async function restorePaths(
  saved: TrainRequest,
  wanted: Pick<TrainRequest, TrainingModel>,
  interaction: Interaction,
): Promise<Pick<TrainRequest, TrainingModel | "prompts">> {
  const placeOf = async (name: TrainingModel, former: string, now = former, variant?: string) => {
    if (now !== former) {
      await checkModel(name, now);
      return now;
    }
    const path = await restoreModel(name, former, interaction, variant);
    await checkThere(name, path, saved.output);
    return path;
  };
  const model = await placeOf("model", saved.model, wanted.model, saved.variant);
  const { model: former, prompts } = saved;
  const came = prompts?.startsWith(former + sep) === true;
  return {
    model,
    reward: await placeOf("reward", saved.reward, wanted.reward),
    ...(saved.vae !== undefined && { vae: await placeOf("vae", saved.vae, wanted.vae) }),
    ...(saved.imageEncoder !== undefined && {
      imageEncoder: await placeOf("imageEncoder", saved.imageEncoder, wanted.imageEncoder),
    }),
    ...(came && { prompts: model + prompts.slice(former.length) }),
  };
}

/** Without names of models on the hub that are the run's own, whatever their branches are at now. */
async function withoutSame(given: GivenSettings, saved: TrainRequest): Promise<GivenSettings> {
  const rest: Record<string, unknown> = { ...given };
  for (const key of TRAINING_MODELS) {
    const [name, former = ""] = [given[key], saved[key]];
    if (name === EMBEDDED_MODEL && embeddedPart(former) !== undefined) rest[key] = former;
    const onHub = typeof name === "string" ? await hubNameOf(key, name) : undefined;
    const run = repoOfSnapshot(former);
    if (onHub === undefined || onHub.repo !== run?.repo) continue;
    const { revision } = onHub;
    if (revision === DEFAULT_REVISION || (await readRef(cacheOfSnapshot(former), revision)) === run.commit)
      rest[key] = former;
  }
  return rest;
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
