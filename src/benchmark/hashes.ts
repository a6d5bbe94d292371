import { stat } from "node:fs/promises";
import { relative } from "node:path";
import { isEmbedded } from "../checkpoints/embedded.ts";
import { describeFiles, fingerprint, sha256 } from "../checkpoints/hashes.ts";
import { listPhotosIn } from "../images/folder.ts";
import { identityOf as identityOfSettings } from "../settings/identity.ts";
import type { MethodName } from "../settings/learning.ts";
import { TRAIN } from "../settings/train.ts";
import { trainingBy, type BenchPlan, type PlannedSubject } from "./plan.ts";
import { readSaved } from "./saved-plan.ts";
import { keyOfWork } from "./tasks/tasks.ts";

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
  const saved = await readSaved(output);
  if (saved !== undefined && isEmbedded(model) && EARLIER_MARKS.includes(saved.model)) return saved.model;
  return hashFolder(model);
}
