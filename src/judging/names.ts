/** How trainers name what they leave: read in the sources of sd-scripts, ai-toolkit, OneTrainer, SimpleTuner and diffusers' scripts (2026). */

/** What a name counts. */
export type Unit = "step" | "epoch";

/** How far a training was when it left a file. */
export interface Count {
  readonly unit: Unit;
  readonly value: number;
}

/** A checkpoint's name, taken apart. */
export interface CheckpointName {
  readonly whole: string;
  /** What is before the number: the training's own name. */
  readonly stem: string;
  /** Undefined for a name without a number, as trainers give it to the last one. */
  readonly count: Count | undefined;
  /**
   * Whether it says what the number counts: a trainer's own way to write it, or a word beside it. The number of `dog_12` may as well be part of
   * the training's name (`sdxl-1024`, `dog-2`): other names and the file's header tell.
   */
  readonly isSure: boolean;
}

/** Of OneTrainer, before what it saves and draws. */
export const TIME = String.raw`\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}`;

type Pattern = readonly [pattern: RegExp, unit: Unit];

/**
 * Names of files and folders as trainers write them, the most particular first: the groups are the stem and the number. Trainers pad their numbers with zeros to a
 * length that no training's steps fill, so that a date or a time at a name's end is none of theirs.
 */
const TRAINERS: readonly Pattern[] = [
  // OneTrainer: {prefix}{time}-save-{step}-{epoch}-{epoch step}, and the folders {time}-backup-...
  [new RegExp(String.raw`^(.*?)${TIME}-(?:save|backup)-(\d+)-\d+-\d+$`), "step"],
  // sd-scripts: {name}-step{step:08d}
  [/^(.*?)-step(\d{8})$/, "step"],
  // ai-toolkit: {name}_{step:09d}
  [/^(.*?)_(0\d{8})$/, "step"],
  // diffusers' scripts, SimpleTuner
  [/^()checkpoint-(\d+)(?:-(?!tmp)[\w.]+)?$/, "step"],
  // sd-scripts: {name}-{epoch:06d}
  [/^(.*?)-(0\d{5})$/, "epoch"],
  // rpo train: checkpoints/000040
  [/^()(\d{6,7})$/, "step"],
];

/** Other people's own, with a word for what the number counts. */
const OTHERS: readonly Pattern[] = [
  [/^(.*?)(?:^|[-_ .])(?:steps?|iters?)[-_ ]?(\d+)$/i, "step"],
  [/^(.*?)(?:^|[-_ .])(\d+)[-_ ]?(?:steps?|iters?)$/i, "step"],
  [/^(.*?)(?:^|[-_ .])(?:(?:epoch|ep)[-_ ]?|e)(\d+)$/i, "epoch"],
  [/^(.*?)(?:^|[-_ .])(\d+)[-_ ]?(?:epochs?|ep)$/i, "epoch"],
];

const stemOf = (text: string) => text.replace(/[-_ .]+$/, "");

/** What a name calls its training, where a trainer wrote it; undefined for other names, and where it calls it nothing. */
export function trainingIn(name: string): string | undefined {
  for (const [pattern] of TRAINERS) {
    const stem = pattern.exec(name)?.[1];
    if (stem !== undefined) return stemOf(stem) || undefined;
  }
  return undefined;
}

/** A number at the end that nothing explains: a step, as some have it, or part of the training's name. More digits are a date's. */
const NUMBER = /^(.*?)[-_ ](\d{1,6})$/;

/**
 * @param name of the file without its extension, or of the folder
 * @param training what the file itself says that its training is called: digits of that are no step
 */
export function parseCheckpointName(name: string, training?: string): CheckpointName {
  if (training !== undefined && training !== "" && name.startsWith(training)) {
    const rest = name.slice(training.length);
    if (rest === "") return { whole: name, stem: name, count: undefined, isSure: true };
    const { count, isSure } = parseCheckpointName(rest);
    if (count !== undefined) return { whole: name, stem: training, count, isSure };
  }
  for (const [pattern, unit] of [...TRAINERS, ...OTHERS]) {
    const [, stem, digits] = pattern.exec(name) ?? [];
    if (digits !== undefined)
      return { whole: name, stem: stemOf(stem), count: { unit, value: Number(digits) }, isSure: true };
  }
  const [, stem, digits] = NUMBER.exec(name) ?? [];
  if (digits === undefined) return { whole: name, stem: name, count: undefined, isSure: true };
  return { whole: name, stem: stemOf(stem), count: { unit: "step", value: Number(digits) }, isSure: false };
}

/** Whether a folder is called as trainers call a checkpoint's, and not as one that is still being written. */
export function isCheckpointFolder(name: string): boolean {
  return (
    /^checkpoint-\d+(?:-(?!tmp)[\w.]+)?$/.test(name) ||
    /^\d{6,7}$/.test(name) ||
    new RegExp(`${TIME}-backup-\\d+-\\d+-\\d+$`).test(name)
  );
}
