import { TIME, type Count } from "../names.ts";

/** How trainers name the pictures that they draw while they train: read in their sources, see `../names.ts`. */

export interface SampleName {
  readonly count: Count;
  /** Which prompt: its number, or what the trainer calls it. */
  readonly prompt: string;
  /** Which picture of that prompt. */
  readonly index: number;
  /** When it was drawn, as text that sorts: a training that was begun anew leaves pictures of the same step. */
  readonly time: string;
}

/** What a pattern's groups are. */
type Read = (groups: Readonly<Record<string, string | undefined>>, folder: string) => Omit<SampleName, "count">;

const NAMES: readonly (readonly [pattern: RegExp, read: Read])[] = [
  // sd-scripts: {name_}{e{epoch:06d} or {step:06d}}_{i:02d}_{YYYYmmddHHMMSS}{_seed}
  [
    /^(?:.*_)?(?<epoch>e)?(?<number>\d{6,})_(?<prompt>\d{2,})_(?<time>\d{14})(?:_\d+)?$/,
    ({ prompt = "", time = "" }) => ({ prompt: String(Number(prompt)), index: 0, time }),
  ],
  // ai-toolkit: {ms}__{step:09d}_{count}
  [
    /^(?<time>\d+)__(?<number>\d{9,})_(?<prompt>\d+)$/,
    ({ prompt = "", time = "" }) => ({ prompt, index: 0, time: time.padStart(20, "0") }),
  ],
  // OneTrainer: {i} - {prompt}/{prefix}{time}-training-sample-{step}-{epoch}-{epoch step}
  [
    new RegExp(`^.*?(?<time>${TIME})-training-sample-(?<number>\\d+)-\\d+-\\d+$`),
    ({ time = "" }, folder) => ({ prompt: /^(\d+) - /.exec(folder)?.[1] ?? folder, index: 0, time }),
  ],
  // SimpleTuner: step_{step}_{short name}_{i}_{width}x{height}
  [
    /^step_(?<number>\d+)_(?<prompt>.+)_(?<index>\d+)_\d+x\d+$/,
    ({ prompt = "", index }) => ({ prompt, index: Number(index), time: "" }),
  ],
  // rpo train
  [
    /^validation-(?<number>\d{6,})-(?<prompt>\d{2,})-(?<index>\d+)$/,
    ({ prompt = "", index }) => ({ prompt: String(Number(prompt)), index: Number(index), time: "" }),
  ],
];

/**
 * @param name of the file, without its extension
 * @param folder the name of the folder that it is in
 * @returns undefined for what no trainer calls a picture
 */
export function parseSampleName(name: string, folder: string): SampleName | undefined {
  for (const [pattern, read] of NAMES) {
    const groups = pattern.exec(name)?.groups;
    if (groups === undefined) continue;
    const unit = groups["epoch"] === undefined ? "step" : "epoch";
    return { count: { unit, value: Number(groups["number"]) }, ...read(groups, folder) };
  }
  return undefined;
}
