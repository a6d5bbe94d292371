import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { UsageError } from "../../system/errors.ts";
import { reasonOf } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { WHOLE } from "../../settings/limits.ts";
import { parseSampleName, type SampleName } from "./names.ts";

/** The pictures that a trainer drew, step by step. */

export interface Sample extends SampleName {
  readonly path: string;
}

/** What was drawn at one step: the same prompts in the same order as at every other. */
export interface SampleSet {
  readonly step: number;
  readonly pictures: readonly Sample[];
}

export interface SampleSets {
  /** Whole sets, by step. */
  readonly sets: readonly SampleSet[];
  /** Steps whose pictures are not all there. */
  readonly partial: readonly number[];
  /** The prompts, as the trainer names them, in their order. */
  readonly prompts: readonly string[];
  /** Pictures of each prompt. */
  readonly each: number;
}

const EXTENSIONS = [".png", ".jpg", ".jpeg", ".webp"];
const MOST_SAMPLES = 100_000;

/**
 * Finds a trainer's pictures in a folder and those right in it.
 * @throws UsageError when there is no such folder, or none that a trainer named
 */
export async function findSamples(folder: string): Promise<SampleSets> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new UsageError(say`${setting("samples", folder)}: ${reasonOf(error)}`, { cause: error });
  });
  const samples: Sample[] = [];
  for (const entry of entries) {
    if (entry.isDirectory() || !EXTENSIONS.includes(extname(entry.name).toLowerCase())) continue;
    const path = join(entry.parentPath, entry.name);
    const name = parseSampleName(basename(path, extname(path)), basename(dirname(path)));
    if (name !== undefined) samples.push({ ...name, path });
  }
  if (samples.length === 0)
    throw new UsageError(
      say`${setting("samples", folder)}: no pictures there that are named as a trainer names those of its steps (sd-scripts, ai-toolkit, OneTrainer, SimpleTuner)`,
    );
  if (samples.length > MOST_SAMPLES)
    throw new UsageError(
      say`${setting("samples", folder)}: ${samples.length} pictures, expected at most ${MOST_SAMPLES}`,
    );
  return setsOf(samples, folder);
}

/** By number where prompts are numbered. */
function compare(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x - y) ? (a < b ? -1 : Number(a > b)) : x - y;
}

function setsOf(samples: readonly Sample[], folder: string): SampleSets {
  // all of one unit: sd-scripts draws after epochs or after steps
  const unit = samples.some(({ mark }) => mark.unit === "step") ? "step" : "epoch";
  const byStep = new Map<number, Map<string, Sample>>();
  for (const sample of samples) {
    if (sample.mark.unit !== unit) continue;
    const { value: step } = sample.mark;
    if (step > WHOLE.steps[1])
      throw new UsageError(
        say`${setting("samples", folder)}: a picture of step ${step}, expected at most ${WHOLE.steps[1]}`,
      );
    const set = byStep.get(step) ?? new Map<string, Sample>();
    const key = JSON.stringify([sample.prompt, sample.index]);
    const before = set.get(key);
    if (before === undefined || before.time < sample.time) set.set(key, sample);
    byStep.set(step, set);
  }
  const largest = Math.max(...[...byStep.values()].map(({ size }) => size));
  const [model] = [...byStep.values()].filter(({ size }) => size === largest);
  const pictures = [...model.values()].sort((a, b) => compare(a.prompt, b.prompt) || a.index - b.index);
  const prompts = [...new Set(pictures.map(({ prompt }) => prompt))];
  const each = pictures.length / prompts.length;
  if (prompts.some((prompt) => pictures.filter((picture) => picture.prompt === prompt).length !== each))
    throw new UsageError(say`${setting("samples", folder)}: its prompts have different numbers of pictures`);
  const sets: SampleSet[] = [];
  const partial: number[] = [];
  for (const [step, set] of [...byStep].sort(([a], [b]) => a - b)) {
    const own = pictures.map(({ prompt, index }) => set.get(JSON.stringify([prompt, index])));
    const whole = own.filter((picture) => picture !== undefined);
    if (whole.length === own.length) sets.push({ step, pictures: whole });
    else partial.push(step);
  }
  return { sets, partial, prompts, each };
}
