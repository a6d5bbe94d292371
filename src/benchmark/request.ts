import { join, resolve } from "node:path";
import { EMBEDDED_MODEL, embeddedFolder } from "../checkpoints/embedded.ts";
import { pickSubjects, readDreamBench, spreadPrompts, type Subject } from "./subjects/dreambench.ts";
import { ABLATION, METHODS, trainersOf, type Method } from "./methods.ts";
import type { BenchPlan, PlannedSubject } from "./plan.ts";
import { begunSurroundings } from "./saved-plan.ts";
import { listPhotosIn } from "../images/folder.ts";
import { readImage } from "../images/read.ts";
import { prepareTinybench, TINYBENCH_NAMES } from "./subjects/tinybench.ts";
import { checkRedis, parseRedisUrl, type RedisAddress } from "../queue/redis-connection.ts";
import { JUDGE_NAMES, type JudgeFolders, type JudgeName } from "../evaluation/judge-names.ts";
import { holdsRun } from "../runs/folder.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { exists } from "../system/files.ts";
import type { Interaction } from "../commands/interaction.ts";
import type { BenchmarkName } from "./names.ts";
import { areOnHub, findModels, trainingModels } from "../commands/models/hub-models.ts";
import { readModelDefaults } from "../commands/models/defaults.ts";
import { checkModel, modelFolder } from "../commands/models/names.ts";
import { checkOptimizer } from "../commands/train/check-optimizer.ts";
import { checkTexts } from "../commands/train/check-texts.ts";
import { parseTrain } from "../commands/train/parse.ts";
import { BENCH, BENCH_DECIDED, BENCH_TRAINING } from "../settings/bench.ts";
import { readConfigFile } from "../settings/config-file.ts";
import { loadMethod } from "../methods/load.ts";
import { checkMethod } from "../training/check-method.ts";
import { recordedKind } from "../training/prompts.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { methodEntry, type MethodName } from "../settings/learning.ts";
import { belongsTo, keyOf, pick, pickGiven, type SettingsTable } from "../settings/setting.ts";
import { TRAIN } from "../settings/train.ts";
import { chooseMachine } from "../commands/machine.ts";
import { checkFolder, checkOutput } from "../commands/paths.ts";

export type BenchSettings = ReturnType<typeof parseTable<typeof BENCH>>;

/** Flags as a plan, everything checked that can be without reading a model. @throws UsageError naming the flag or the file */
export async function resolveBench(
  name: BenchmarkName,
  given: GivenSettings,
  interaction: Interaction,
): Promise<{ plan: BenchPlan; settings: BenchSettings; address: RedisAddress | undefined }> {
  const flags = pickGiven(BENCH_TRAINING, given);
  const settings = parseTable(BENCH, pickGiven(BENCH, given));
  const address = settings.redis === undefined ? undefined : parseRedisUrl(settings.redis);
  const methods = settings.methods?.flatMap(methodsOf) ?? ABLATION;
  const seeds = [...new Set(settings.seeds.map(seedOf))];
  if (settings.seconds === "rpo" && !methods.includes("rpo"))
    throw new UsageError(
      say`${setting("seconds", "rpo")}: as many as RPO takes, and ${setting("methods")} has no row rpo; add it, or give a number of seconds`,
    );
  await checkOutput(settings.output);
  if (await holdsRun(settings.output))
    throw new UsageError(
      say`${setting("output", settings.output)}: already holds a run of rpo train; choose another folder`,
    );
  const output = resolve(settings.output);
  const config = settings.config === undefined ? {} : await readConfigFile(settings.config);
  const decided = Object.keys(config).find((name) => keyOf(TRAIN, name) in BENCH_DECIDED);
  if (decided !== undefined)
    throw new UsageError(say`${setting("config")}: ${decided}: the benchmark decides it; leave it out`);

  if (address !== undefined) await checkRedis(address);

  // What no folder of subjects can make good is said before one is read or made, or a model is fetched.
  const trainers = trainersOf(methods);
  refuseOthers(config, trainers);
  const anySubject = { name: "", class: "subject", folder: ".", prompts: [] };
  const drafts = await Promise.all(
    [...new Set(["rpo" as const, ...trainers])].map((method) =>
      trainingOf(anySubject, flags, config, interaction, method),
    ),
  );
  const [draft] = drafts;
  if (settings.seconds !== undefined) checkCuttable(drafts);
  await judgeFolders(settings.judges, draft.model, draft.reward);
  const models = trainingModels({ ...config, ...flags });
  const training = (await areOnHub(Object.values(models)))
    ? { ...flags, ...(await findModels(models, interaction)) }
    : flags;
  const { model, reward, guidance } = await trainingOf(anySubject, training, config, interaction);
  await checkModel("model", model);
  await checkModel("reward", reward);
  const judges = await judgeFolders(settings.judges, model, reward);
  const surroundings =
    name === "tinybench"
      ? (settings.surroundings ?? (await begunSurroundings(output)) ?? "home")
      : settings.surroundings;
  const found = await subjectsOf(name, { ...settings, surroundings }, output);
  if (name === "dreambench") await checkPhotos(found);
  const subjects: PlannedSubject[] = [];
  for (const subject of found) {
    const others: Partial<Record<MethodName, PlannedSubject["training"]>> = {};
    for (const method of trainers)
      if (method !== "rpo") others[method] = await trainingOf(subject, training, config, interaction, method);
    subjects.push({
      ...subject,
      prompts: spreadPrompts(subject.prompts, settings.promptsPerSubject),
      training: await trainingOf(subject, training, config, interaction),
      others,
    });
  }
  const drawing = {
    pictures: settings.pictures,
    steps: settings.drawingSteps,
    guidance: settings.guidance ?? guidance,
  };
  return {
    settings,
    address,
    plan: { output, name, surroundings, subjects, methods, seeds, budget: settings.seconds, drawing, judges },
  };
}

/** @throws UsageError where what a training has learnt by a step depends on how many were to come */
function checkCuttable(trainings: readonly PlannedSubject["training"][]): void {
  const cut = trainings.find(({ schedule }) => schedule !== "constant");
  if (cut !== undefined)
    throw new UsageError(
      say`${setting("seconds")} cuts trainings where the seconds end, and with ${setting("schedule", cut.schedule)} their rate depends on the step that they were to end at; use ${setting("schedule", "constant")}`,
    );
}

/** Damaged photos are found now rather than hours into the work. @throws UsageError naming one */
async function checkPhotos(subjects: readonly Subject[]): Promise<void> {
  for (const { folder } of subjects) for (const path of await listPhotosIn(folder)) await readImage(path);
}

function methodsOf(name: string): readonly Method[] {
  if (name === "all") return METHODS;
  const method = METHODS.find((each) => each === name);
  if (method === undefined)
    throw new UsageError(say`${setting("methods", name)}: no such method (there are ${METHODS.join(", ")})`);
  return [method];
}

function seedOf(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError(say`${setting("seeds", text)}: expected integers of 0 or more, such as 0,1,2`);
  return Number(text);
}

/** A line for each subject that a benchmark has, or for those that are asked for. @throws UsageError */
export async function listSubjects(name: BenchmarkName, given: GivenSettings): Promise<readonly string[]> {
  const table = pick(BENCH, "data", "subjects");
  const wanted = parseTable(table, pickGiven(table, given));
  if (name === "tinybench") return pickSubjects(TINYBENCH_NAMES, wanted.subjects, name);
  return (await subjectsOf(name, wanted, "")).map((subject) => `${subject.name}  (${subject.class})`);
}

/** The benchmark's subjects. */
async function subjectsOf(
  name: BenchmarkName,
  { data, subjects, surroundings }: Pick<BenchSettings, "data" | "subjects"> & Pick<BenchPlan, "surroundings">,
  output: string,
): Promise<Subject[]> {
  if (name === "tinybench") {
    if (data !== undefined) throw new UsageError(say`${setting("data")}: tinybench has its own subjects; leave it out`);
    return prepareTinybench(output, subjects, surroundings ?? "home");
  }
  if (surroundings !== undefined)
    throw new UsageError(say`${setting("surroundings")}: DreamBench's photos are what they are; leave it out`);
  if (data === undefined) throw new UsageError(say`${setting("data")} is missing (google/dreambooth's dataset folder)`);
  await checkFolder("data", data, "google/dreambooth's dataset folder");
  return readDreamBench(resolve(data), subjects);
}

/** What of some settings a method has; the rate and the kind of an adapter are of those that train one. */
function ofMethod(method: MethodName, given: GivenSettings): GivenSettings {
  const table: SettingsTable = TRAIN;
  const { trains } = methodEntry(method);
  const isOwn = (key: string) => belongsTo(method, table[key]) && (trains === undefined || key !== "learningRate");
  return Object.fromEntries(Object.entries(given).filter(([name]) => isOwn(keyOf(TRAIN, name))));
}

/** @throws UsageError naming what no row's method has */
function refuseOthers(config: GivenSettings, trainers: readonly MethodName[]): void {
  const table: SettingsTable = TRAIN;
  for (const name of Object.keys(config)) {
    const each = table[keyOf(TRAIN, name)];
    if (!["rpo" as const, ...trainers].some((method) => belongsTo(method, each)))
      throw new UsageError(
        say`${setting("config")}: ${name}: belongs to ${(each.methods ?? []).join(" or ")}, and ${setting("methods")} has no such row`,
      );
  }
}

/** How a subject is trained by a method. Settings that others have alone are passed over. */
async function trainingOf(
  subject: Subject,
  allFlags: GivenSettings,
  allConfig: GivenSettings,
  interaction: Interaction,
  method: MethodName = "rpo",
): Promise<PlannedSubject["training"]> {
  const [flags, config] = [ofMethod(method, allFlags), ofMethod(method, allConfig)];
  const wanted = { ...config, ...flags, method, class: subject.class };
  const { model = EMBEDDED_MODEL } = wanted as GivenSettings;
  const defaults = typeof model === "string" ? await readModelDefaults(modelFolder("model", model), wanted) : {};
  const parsed = parseTrain({
    flags: { ...flags, method, images: subject.folder, class: subject.class },
    config,
    model: defaults,
  });
  // a benchmark goes on on other machines: it takes a GPU where it is told to
  const machine = await chooseMachine({ ...parsed, device: parsed.device ?? "cpu" }, interaction);
  // what no training could begin with is not found after hours of others
  checkTexts(parsed, machine);
  checkOptimizer(parsed);
  checkMethod(await loadMethod(method), parsed);
  const kind = parsed.prompts === undefined ? recordedKind(undefined, subject.class) : undefined;
  return {
    ...without(parsed, "output", "threads", "seed", "preference", "earlyStopping"),
    ...machine,
    ...(kind && { subject: kind }),
  };
}

function without<T extends object, K extends keyof T>(object: T, ...keys: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.some((each) => each === key))) as Omit<T, K>;
}

/** A folder for each judge below --judges; the reward judges ALIGN where no other does. */
async function judgeFolders(given: string | undefined, model: string, reward: string): Promise<JudgeFolders> {
  const name = given ?? (model === embeddedFolder("sd") ? EMBEDDED_MODEL : undefined);
  if (name === undefined)
    throw new UsageError(
      say`${setting("judges")} is missing: a folder that holds dino, clip and, unless the reward is to judge, align`,
    );
  if (name !== EMBEDDED_MODEL) await checkFolder("judges", name, `folders named ${JUDGE_NAMES.join(", ")}`);
  const folderOf = (judge: JudgeName) => (name === EMBEDDED_MODEL ? embeddedFolder(judge) : resolve(name, judge));
  for (const judge of ["dino", "clip"] as const)
    if (!(await exists(join(folderOf(judge), "config.json"))))
      throw new UsageError(say`${setting("judges", name)}: expected ${join(folderOf(judge), "config.json")}`);
  const align = folderOf("align");
  return { dino: folderOf("dino"), clip: folderOf("clip"), align: (await exists(align)) ? align : reward };
}
