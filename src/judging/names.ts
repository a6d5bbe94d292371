/** How trainers name what they leave: read in the sources of sd-scripts, ai-toolkit, OneTrainer, SimpleTuner and diffusers' scripts (2026). */

/** What a name counts. */
export type Unit = "step" | "epoch";

/** Where in a training a file is of. */
export interface Mark {
  readonly unit: Unit;
  readonly value: number;
}

/** A checkpoint's name, taken apart. */
export interface CheckpointName {
  /** What is before the number: the training's own name. */
  readonly stem: string;
  /** Undefined for a name without a number, as trainers give it to the last one. */
  readonly mark: Mark | undefined;
}

/** Of OneTrainer, before what it saves and draws. */
export const TIME = String.raw`\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}`;

/** Names of files and folders, the most particular first: the groups are the stem and the number. */
const NAMES: readonly (readonly [pattern: RegExp, unit: Unit])[] = [
  // OneTrainer: {prefix}{time}-save-{step}-{epoch}-{epoch step}, and the folders {time}-backup-...
  [new RegExp(String.raw`^(.*?)${TIME}-(?:save|backup)-(\d+)-\d+-\d+$`), "step"],
  // sd-scripts: {name}-step{step:08d}
  [/^(.*?)-step(\d{8,})$/, "step"],
  // ai-toolkit: {name}_{step:09d}
  [/^(.*?)_(\d{9,})$/, "step"],
  // diffusers' scripts, SimpleTuner
  [/^()checkpoint-(\d+)(?:-(?!tmp)[\w.]+)?$/, "step"],
  // sd-scripts: {name}-{epoch:06d}
  [/^(.*?)-(\d{6,})$/, "epoch"],
  // rpo train: checkpoints/000040
  [/^()(\d{6,})$/, "step"],
  // other people's own
  [/^(.*?)[-_ .]?(?:step|steps|iter)[-_ ]?(\d+)$/i, "step"],
  [/^(.*?)[-_ .](?:epoch|ep|e)[-_ ]?(\d+)$/i, "epoch"],
  [/^(.*?)[-_ ](\d+)$/, "step"],
];

/** @param name of the file without its extension, or of the folder */
export function parseCheckpointName(name: string): CheckpointName {
  for (const [pattern, unit] of NAMES) {
    const [, stem, digits] = pattern.exec(name) ?? [];
    if (digits === undefined) continue;
    return { stem: stem.replace(/[-_ .]+$/, ""), mark: { unit, value: Number(digits) } };
  }
  return { stem: name, mark: undefined };
}

/** Whether a folder is called as trainers call a checkpoint's, and not as one that is still being written. */
export function isCheckpointFolder(name: string): boolean {
  return (
    /^checkpoint-\d+(?:-(?!tmp)[\w.]+)?$/.test(name) ||
    /^\d{6,}$/.test(name) ||
    new RegExp(`${TIME}-backup-\\d+-\\d+-\\d+$`).test(name)
  );
}
