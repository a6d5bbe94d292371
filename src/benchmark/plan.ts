import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { EMBEDDED_MODEL, isEmbedded } from "../checkpoints/embedded.ts";
import { describeFiles, fingerprint, sha256 } from "../checkpoints/hashes.ts";
import type { Subject } from "./subjects/dreambench.ts";
import type { RowKey } from "./results/results.ts";
import { BENCHMARK_FILE } from "../runs/folder.ts";
import type { Method } from "./methods.ts";
import { repoOfSnapshot } from "../hub/cache.ts";
import { listPhotosIn } from "../images/folder.ts";
import { identityOf as identityOfSettings } from "../settings/identity.ts";
import type { Budget } from "../settings/bench.ts";
import { SURROUNDINGS, type Surroundings } from "../settings/surroundings.ts";
import { METHOD_NAMES, type MethodName } from "../settings/learning.ts";
import { TRAIN } from "../settings/train.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { UsageError, type Message } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { exists, readJson, writeJson } from "../system/files.ts";
import { parseAs } from "../system/json.ts";
import { amount } from "../system/numbers.ts";
import { VERSION } from "../system/version.ts";
import type { JudgeFolders } from "../evaluation/judge-names.ts";
import { keyOfWork } from "./tasks/tasks.ts";

/** A subject with how it is trained. */
export interface PlannedSubject extends Subject {
  /** By RPO and on the photos alone. */
  readonly training: Omit<TrainRequest, "output" | "threads" | "seed" | "preference" | "earlyStopping">;
  /** By the other methods that rows are of. */
  readonly others?: Readonly<Partial<Record<MethodName, PlannedSubject["training"]>>>;
}

/** How a subject is trained by a method. */
export function trainingBy({ name, training, others }: PlannedSubject, method: MethodName): PlannedSubject["training"] {
  const found = method === "rpo" ? training : others?.[method];
  if (found === undefined) throw new Error(`${name}: no plan of a training by ${method}`);
  return found;
}

export interface Drawing {
  /** Pictures of each prompt. */
  readonly pictures: number;
  readonly steps: number;
  readonly guidance: number;
}

/** Everything that a benchmark's figures depend on. */
export interface BenchPlan {
  readonly output: string;
  /** What it is of, for people: "tinybench", "dreambench". */
  readonly name: string;
  /** Of tinybench's photos. */
  readonly surroundings?: Surroundings | undefined;
  readonly subjects: readonly PlannedSubject[];
  readonly methods: readonly Method[];
  readonly seeds: readonly number[];
  /** Of a second table, at equal seconds. */
  readonly budget?: Budget | undefined;
  readonly drawing: Drawing;
  readonly judges: JudgeFolders;
}

/** The content of what a benchmark reads, so that equal work is known and a change is noticed. */
export interface Hashes {
  readonly model: string;
  readonly reward: string;
  readonly judges: Readonly<Record<string, string>>;
  /** Of files with training prompts, by their paths. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Of what reads photos for methods that learn from it, by its folders. */
  readonly imageEncoders: Readonly<Record<string, string>>;
  /** Of each subject's photos, by their names. */
  readonly photos: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const hashesByName = z.record(z.string(), z.string());

/** What bench.json holds; it grows when subjects are added. */
const savedSchema = z.object({
  /** Of the program that began it. */
  version: z.string(),
  name: z.string(),
  /** Of tinybench's photos; benchmarks begun by earlier versions have mixed ones, and do not say so. */
  surroundings: z.enum(SURROUNDINGS).optional(),
  drawing: z.object({ pictures: amount, steps: amount, guidance: amount }),
  model: z.string(),
  reward: z.string(),
  judges: hashesByName,
  /** Where those are or were, for people; benchmarks begun by earlier versions do not say so. */
  sources: z.object({ model: z.string(), reward: z.string(), judges: z.record(z.string(), z.string()) }).optional(),
  subjects: z.record(
    z.string(),
    z.object({
      class: z.string(),
      prompts: z.array(z.string()).readonly(),
      training: z.record(z.string(), z.unknown()),
      /** By other methods than RPO. */
      others: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
      photos: hashesByName,
      /** Where the photos were when the subject was last run. */
      folder: z.string(),
    }),
  ),
});
type Saved = z.output<typeof savedSchema>;

/** Undefined where no benchmark has begun. @throws UsageError when the file is damaged */
async function readSaved(path: string): Promise<Saved | undefined> {
  return (await exists(path)) ? parseAs(savedSchema, await readJson(path, UsageError), path, UsageError) : undefined;
}

/** Where the photos of a tinybench that has begun were taken; undefined where none has. @throws UsageError when its file is damaged */
export async function begunSurroundings(output: string): Promise<Surroundings | undefined> {
  const saved = await readSaved(join(output, BENCHMARK_FILE));
  return saved && surroundingsOf(saved);
}

function surroundingsOf({ surroundings = "mixed" }: Pick<Saved, "surroundings">): Surroundings {
  return surroundings;
}

/** Everything that the training of a subject depends on, whatever folders it is read from, apart from the seed and the method. */
export function identityOf(subject: PlannedSubject, hashes: Hashes, method: MethodName = "rpo") {
  const { name } = subject;
  const training = trainingBy(subject, method);
  const { model, reward } = hashes;
  const { prompts, imageEncoder } = training;
  return {
    ...identityOfSettings(TRAIN, training),
    images: undefined,
    prompts: prompts === undefined ? undefined : hashes.prompts[prompts],
    ...(imageEncoder !== undefined && { imageEncoder: hashes.imageEncoders[imageEncoder] }),
    model,
    reward,
    photos: hashes.photos[name],
  };
}

/** Hashes what the plan reads. @throws UsageError, ModelError for what is missing */
export async function hashPlan({ output, subjects, judges }: BenchPlan): Promise<Hashes> {
  const [{ training }] = subjects;
  const photos: Record<string, Record<string, string>> = {};
  const prompts: Record<string, string> = {};
  const imageEncoders: Record<string, string> = {};
  for (const { name, folder, training: own, others = {} } of subjects) {
    if (own.prompts !== undefined) prompts[own.prompts] = await sha256(own.prompts);
    for (const { imageEncoder: reads } of Object.values(others))
      if (reads !== undefined) imageEncoders[reads] ??= await hashFolder(reads);
    photos[name] = {};
    for (const path of await listPhotosIn(folder)) photos[name][relative(folder, path)] = await sha256(path);
  }
  const hashed: Record<string, string> = {};
  for (const [name, folder] of Object.entries(judges)) hashed[name] = await hashFolder(folder);
  return {
    model: await markOf(training.model, output),
    reward: await hashFolder(training.reward),
    judges: hashed,
    prompts,
    imageEncoders,
    photos,
  };
}

/**
 * A mark of a model's folder: names and fingerprints of its configurations, vocabularies and weights; or of a model in one file. What the
 * embedded model proposes for training is no part of it: the settings themselves are compared.
 */
async function hashFolder(folder: string): Promise<string> {
  if ((await stat(folder)).isFile()) return fingerprint(folder);
  const files = await describeFiles(folder, /\.(json|txt|safetensors)$/);
  return keyOfWork(isEmbedded(folder) ? files.filter((line) => !PROPOSALS.test(line)) : files);
}

/** Lines of their names and fingerprints. */
const PROPOSALS = /^(rpo|prompts-(live|object))\.json /;

/** The embedded model's mark in benchmarks that were begun when its proposals were still part of it; its weights have not changed since. */
const EARLIER_MARKS = ["7b82bb8561177244"];

/** A benchmark goes on under the mark of its model that it began with. */
async function markOf(model: string, output: string): Promise<string> {
  const saved = await readSaved(join(output, BENCHMARK_FILE));
  if (saved !== undefined && isEmbedded(model) && EARLIER_MARKS.includes(saved.model)) return saved.model;
  return hashFolder(model);
}

/**
 * Writes bench.json, or checks that a benchmark is continued as it was begun; methods, seeds and subjects may be added, and a subject
 * that has no row yet may change.
 * @param options.rows what there is already
 * @param options.warn told when another version of the program goes on with it
 * @throws UsageError naming what has changed, or when there are rows and no bench.json
 */
export async function keepPlan(
  plan: BenchPlan,
  hashes: Hashes,
  { rows, warn }: { readonly rows: readonly RowKey[]; readonly warn: (line: string) => void },
): Promise<void> {
  const path = join(plan.output, BENCHMARK_FILE);
  const before = await readSaved(path);
  const { name, surroundings, drawing } = plan;
  const now: Saved = {
    version: VERSION,
    name,
    ...(surroundings !== undefined && { surroundings }),
    drawing,
    model: hashes.model,
    reward: hashes.reward,
    judges: hashes.judges,
    sources: sourcesOf(plan),
    subjects: Object.fromEntries(
      plan.subjects.map((subject) => {
        const { prompts } = subject;
        const settingsBy = (method: MethodName) => {
          const identity = identityOf(subject, hashes, method);
          return { ...identity, model: undefined, reward: undefined, photos: undefined };
        };
        const others = { ...before?.subjects[subject.name]?.others };
        for (const method of METHOD_NAMES)
          if (subject.others?.[method] !== undefined) others[method] = settingsBy(method);
        const hasOthers = Object.keys(others).length > 0;
        return [
          subject.name,
          {
            ...{ class: subject.class, prompts, training: settingsBy("rpo"), ...(hasOthers && { others }) },
            ...{ photos: hashes.photos[subject.name], folder: subject.folder },
          },
        ];
      }),
    ),
  };
  if (before !== undefined) compare(before, now, plan, rows);
  else if (rows.length > 0)
    throw new UsageError(
      say`${plan.output}: there are results but no ${BENCHMARK_FILE} that says of what; give another ${setting("output")}`,
    );
  const { version } = before ?? now;
  if (version !== VERSION)
    warn(`${plan.output} was begun with rpo ${version}; this is ${VERSION}, so that its rows are of both`);
  await writeJson(path, { ...now, version, subjects: { ...before?.subjects, ...now.subjects } });
}

/** The models by the names that people gave them. */
function sourcesOf({ subjects: [{ training }], judges }: BenchPlan): Saved["sources"] {
  return {
    model: nameOfModel(training.model),
    reward: nameOfModel(training.reward),
    judges: Object.fromEntries(Object.entries(judges).map(([judge, folder]) => [judge, nameOfModel(folder)])),
  };
}

/** "tiny", a name on the hub with its commit, or the folder itself. */
function nameOfModel(folder: string): string {
  if (isEmbedded(folder)) return EMBEDDED_MODEL;
  const snapshot = repoOfSnapshot(folder);
  return snapshot === undefined ? folder : `${snapshot.repo}@${snapshot.commit.slice(0, 8)}`;
}

function compare(before: Saved, now: Saved, { output, subjects }: BenchPlan, rows: readonly RowKey[]): void {
  const changed = (what: Message): never => {
    throw new UsageError(
      say`${what} since the results in ${output} were begun; give another ${setting("output")}, or what it was`,
    );
  };
  if (before.name !== now.name) changed(`the benchmark was ${before.name}, not ${now.name},`);
  if (now.surroundings !== undefined && surroundingsOf(before) !== now.surroundings)
    changed(
      say`where photos are taken (${setting("surroundings")}) changed from ${surroundingsOf(before)} to ${now.surroundings}`,
    );
  for (const part of ["drawing", "model", "reward", "judges"] as const)
    if (!equal(before[part], now[part])) changed(say`${WORDS[part]} changed`);
  for (const { name, folder } of subjects) {
    if (!Object.hasOwn(before.subjects, name) || !rows.some(({ subject }) => subject === name)) continue;
    const [old, current] = [before.subjects[name], now.subjects[name]];
    for (const file of new Set([...Object.keys(old.photos), ...Object.keys(current.photos)]))
      if (old.photos[file] !== current.photos[file])
        changed(
          `${join(folder, file)}: ${!(file in old.photos) ? "was added" : file in current.photos ? "changed" : "was removed"}`,
        );
    if (old.class !== current.class) changed(`${name}: the class word changed from ${old.class} to ${current.class}`);
    if (!equal(old.prompts, current.prompts)) changed(`${name}: the prompts changed`);
    if (!equal(old.training, current.training)) changed(`${name}: ${firstDifference(old.training, current.training)}`);
    for (const [method, then] of Object.entries(old.others ?? {})) {
      const here = current.others?.[method];
      const has = rows.some((row) => row.subject === name && row.method.replace(/\+.*/, "") === method);
      if (has && here !== undefined && !equal(then, here))
        changed(`${name}: by ${method}, ${firstDifference(then, here)}`);
    }
  }
}

const WORDS = {
  drawing: say`how pictures are drawn (${setting("pictures")}, ${setting("drawingSteps")}, ${setting("guidance")})`,
  model: "the model's files",
  reward: "the reward model's files",
  judges: "the judges' files",
} as const;

function firstDifference(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string {
  const key = Object.keys({ ...a, ...b }).find((each) => !equal(a[each], b[each])) ?? "";
  return `the setting ${key} changed from ${JSON.stringify(a[key])} to ${JSON.stringify(b[key])}`;
}

/** As JSON, whatever the order of keys. */
function equal(a: unknown, b: unknown): boolean {
  return keyOfWork(a) === keyOfWork(b);
}
