import { basename, dirname, extname } from "node:path";
import { UsageError } from "../../system/errors.ts";
import { reasonOf } from "../../system/files.ts";
import { entriesBelow } from "../../system/folder-tree.ts";
import { say, setting } from "../../system/message.ts";
import { WHOLE } from "../../settings/limits.ts";
import type { Unit } from "../names.ts";
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
  /** What the steps count: trainers draw after steps, or after epochs. */
  readonly unit: Unit;
  /** Whole sets, by step. */
  readonly sets: readonly SampleSet[];
  /** Steps whose pictures are not all there, with those that are. */
  readonly partial: readonly SampleSet[];
  /** The prompts, as the trainer names them, in their order. */
  readonly prompts: readonly string[];
  /** Pictures of each prompt. */
  readonly each: number;
}

const EXTENSIONS = [".png", ".jpg", ".jpeg", ".webp"];
const MOST_SAMPLES = 100_000;

/**
 * Finds a trainer's pictures in a folder and those right in it.
 * @param options.mayCome whether what is not there may come later
 * @returns undefined where there are none yet, or no prompt has all of its pictures, and they may come
 * @throws UsageError when there is no such folder, or none that a trainer named
 */
export async function findSamples(
  folder: string,
  { mayCome = false }: { readonly mayCome?: boolean } = {},
): Promise<SampleSets | undefined> {
  const samples = await samplesIn(folder, mayCome);
  if (samples.length > MOST_SAMPLES)
    throw new UsageError(
      say`${setting("samples", folder)}: ${samples.length} pictures, expected at most ${MOST_SAMPLES}`,
    );
  const sets = samples.length === 0 ? undefined : setsOf(samples, folder);
  if (sets !== undefined || mayCome) return sets;
  throw new UsageError(
    samples.length === 0
      ? say`${setting("samples", folder)}: no pictures there that are named as a trainer names those of its steps (sd-scripts, ai-toolkit, OneTrainer, SimpleTuner)`
      : say`${setting("samples", folder)}: its prompts have different numbers of pictures`,
  );
}

async function samplesIn(folder: string, mayCome: boolean): Promise<Sample[]> {
  const entries = await entriesBelow(folder).catch((error: unknown) => {
    if (mayCome && reasonOf(error) === "no such file") return [];
    throw new UsageError(say`${setting("samples", folder)}: ${reasonOf(error)}`, { cause: error });
  });
  return entries.flatMap(({ path, entry }) => {
    if (entry.isDirectory() || !EXTENSIONS.includes(extname(entry.name).toLowerCase())) return [];
    const name = parseSampleName(basename(path, extname(path)), basename(dirname(path)));
    return name === undefined ? [] : [{ ...name, path }];
  });
}

/** By number where prompts are numbered. */
function compare(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x - y) ? (a < b ? -1 : Number(a > b)) : x - y;
}

type ByKey = ReadonlyMap<string, Sample>;

const keyOf = ({ prompt, index }: Pick<Sample, "prompt" | "index">): string => JSON.stringify([prompt, index]);

/** @returns undefined where no step has equally many pictures of each of its prompts */
function setsOf(samples: readonly Sample[], folder: string): SampleSets | undefined {
  // all of one unit: sd-scripts draws after epochs or after steps
  const unit = samples.some(({ count }) => count.unit === "step") ? "step" : "epoch";
  const byStep = [...stepsOf(samples, unit, folder)].sort(([a], [b]) => a - b);
  const model = commonSet(byStep.map(([, set]) => set));
  if (model === undefined) return undefined;
  const pictures = [...model.values()].sort((a, b) => compare(a.prompt, b.prompt) || a.index - b.index);
  const prompts = [...new Set(pictures.map(({ prompt }) => prompt))];
  const sets: SampleSet[] = [];
  const partial: SampleSet[] = [];
  for (const [step, set] of byStep) {
    const own = pictures.map((picture) => set.get(keyOf(picture)));
    const whole = own.filter((picture) => picture !== undefined);
    if (whole.length === own.length) sets.push({ step, pictures: whole });
    else partial.push({ step, pictures: whole });
  }
  return { unit, sets, partial, prompts, each: pictures.length / prompts.length };
}

/** The newest picture of each prompt and number, by their steps in a unit. */
function stepsOf(samples: readonly Sample[], unit: Unit, folder: string): ReadonlyMap<number, ByKey> {
  const byStep = new Map<number, Map<string, Sample>>();
  for (const sample of samples) {
    if (sample.count.unit !== unit) continue;
    const { value: step } = sample.count;
    if (step > WHOLE.steps[1])
      throw new UsageError(
        say`${setting("samples", folder)}: a picture of step ${step}, expected at most ${WHOLE.steps[1]}`,
      );
    const set = byStep.get(step) ?? new Map<string, Sample>();
    const key = keyOf(sample);
    const before = set.get(key);
    if (before === undefined || before.time < sample.time) set.set(key, sample);
    byStep.set(step, set);
  }
  return byStep;
}

/**
 * The step whose prompts are compared: those with which most pictures can be, the larger set of equals, so that a prompt that was added late
 * does not make the others useless. A step with less than an earlier one is being drawn, or lacks some, unless others are like it.
 * @param steps in their order
 */
function commonSet(steps: readonly ByKey[]): ByKey | undefined {
  const [finished, names] = [steps.slice(0, -1), steps.map((set) => [...set.keys()].sort().join())];
  const isWhole = (set: ByKey, i: number): boolean =>
    !steps.slice(0, i).some((before) => before.size > set.size && holds(before, set)) ||
    finished.filter((_, k) => names[k] === names[i]).length > 1;
  let best: { readonly set: ByKey; readonly count: number } | undefined;
  for (const [i, set] of steps.entries()) {
    if (names.indexOf(names[i]) < i || !isEven(set) || !isWhole(set, i)) continue;
    const count = set.size * steps.filter((other) => holds(other, set)).length;
    if (best === undefined || count > best.count || (count === best.count && set.size > best.set.size))
      best = { set, count };
  }
  return best?.set;
}

function holds(all: ByKey, part: ByKey): boolean {
  return [...part.keys()].every((key) => all.has(key));
}

/** Whether all prompts of a step have equally many pictures. */
function isEven(set: ByKey): boolean {
  const counts = new Map<string, number>();
  for (const { prompt } of set.values()) counts.set(prompt, (counts.get(prompt) ?? 0) + 1);
  return new Set(counts.values()).size === 1;
}
