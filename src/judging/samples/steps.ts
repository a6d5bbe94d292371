import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readImage } from "../../images/read.ts";
import { writePng } from "../../images/write.ts";
import type { Scorer } from "../../reward/scorer.ts";
import type { RunControl, ScoredImage } from "../../runs/events.ts";
import { validationImagePath } from "../../runs/folder.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import type { Prompt } from "../../training/prompts.ts";
import type { JudgedLog } from "../judged-log.ts";
import { recordStep } from "../record-step.ts";
import type { SampleSet, SampleSets } from "./find.ts";
import { stampsOf, type SampleSource } from "./source.ts";

/** A trainer's pictures, judged a step at a time. */

/** Pictures with what they show. */
export interface Judgeable {
  readonly found: SampleSets;
  readonly prompts: readonly Prompt[];
  readonly settings: TrainSettings;
}

export interface StepJudge {
  /** Judges the next step. @returns whether there was one; "changing" where pictures may still come */
  next(now: Judgeable): Promise<boolean | "changing">;
  /** Takes nothing for judged any more. */
  forget(): void;
}

export interface StepTools {
  readonly log: JudgedLog;
  readonly source: SampleSource;
  readonly scorer: Scorer;
  readonly control: RunControl;
}

export function createStepJudge({ log, source, scorer, control }: StepTools): StepJudge {
  /** What the pictures of a step were like when it was judged, or could not be. */
  const judged = new Map<number, string>();
  const refused = new Map<number, string>();
  const isJudged = async (set: SampleSet, stamps: string, now: Judgeable): Promise<boolean> => {
    if (!log.validations.some(({ step }) => step === set.step)) return false;
    const seen = judged.get(set.step);
    const isSame = seen === undefined ? !(await isNewer(set, now)) : seen === stamps;
    if (isSame) judged.set(set.step, stamps);
    return isSame;
  };
  /** @returns whether it was judged; "changing" where a picture that cannot be read is being written */
  const tryStep = async (set: SampleSet, stamps: string, now: Judgeable): Promise<boolean | "changing"> => {
    if (!(await source.isReady(set, now.found))) return "changing";
    try {
      await record(set, { ...now, log, control, scorer });
      judged.set(set.step, stamps);
      return true;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      if (await source.isChanging(set)) return "changing";
      refused.set(set.step, stamps);
      control.emit({ type: "warning", text: `passed over: step ${set.step}: ${error.message}` });
      return false;
    }
  };
  return {
    async next(now) {
      let isChanging = false;
      for (const set of now.found.sets) {
        // before they are read: what changes meanwhile is seen by the next look
        const stamps = await stampsOf(set);
        if (refused.get(set.step) === stamps || (await isJudged(set, stamps, now))) continue;
        const outcome = await tryStep(set, stamps, now);
        if (outcome === true) return true;
        if (outcome === "changing") isChanging = true;
      }
      for (const set of now.found.partial) isChanging = (await source.isChanging(set)) || isChanging;
      return isChanging ? "changing" : false;
    },
    forget() {
      judged.clear();
      refused.clear();
    },
  };
}

/** Whether any of a step's pictures was written after it was judged. */
async function isNewer({ step, pictures }: SampleSet, { settings, found: { each } }: Judgeable): Promise<boolean> {
  for (const [i, { path }] of pictures.entries()) {
    const copy = join(settings.output, validationImagePath(step, Math.floor(i / each), i % each));
    const [own, its] = await Promise.all([copy, path].map((file) => stat(file).catch(() => undefined)));
    if (own === undefined || (its !== undefined && its.mtimeMs > own.mtimeMs)) return true;
  }
  return false;
}

interface Recording extends Judgeable {
  readonly log: JudgedLog;
  readonly control: RunControl;
  readonly scorer: Scorer;
}

/** Scores a step's pictures, and keeps them in the run's folder. @throws UsageError naming one that cannot be read */
async function record(
  { step, pictures }: SampleSet,
  { settings, prompts, log, control, scorer, found: { each } }: Recording,
): Promise<void> {
  const images: ScoredImage[] = [];
  control.emit({ type: "progress", phase: "validation", done: 0, total: pictures.length });
  for (const [i, { path }] of pictures.entries()) {
    const [promptIndex, index] = [Math.floor(i / each), i % each];
    const { text, rewardText } = prompts[promptIndex];
    const image = await readImage(path);
    const [score] = await scorer.scoreNearest([image], [rewardText]);
    const file = validationImagePath(step, promptIndex, index);
    // a copy is newer than its picture, as those of a judged step are: the log comes first
    if (i === 0) await log.drop(step);
    const sha256 = await writePng(join(settings.output, file), image);
    // which noise it was drawn from, its trainer alone knows
    images.push({ prompt: rewardText, text, promptIndex, index, seed: 0, ...score, image: file, sha256 });
    control.emit({ type: "progress", phase: "validation", done: i + 1, total: pictures.length });
  }
  await recordStep(step, images, { log, settings, control });
}
