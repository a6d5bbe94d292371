import { join } from "node:path";
import { readImage } from "../../images/read.ts";
import { writePng } from "../../images/write.ts";
import { digestOf } from "../../system/digest.ts";
import { negativesNeeded, pictureSeed, type DrawOptions } from "../../training/draws.ts";
import type { RunControl } from "../../runs/events.ts";
import { encodePicture, type EncodedPicture } from "../../training/photos.ts";
import { isWhole } from "../../runs/pictures.ts";
import type { Recorder } from "../../runs/recorder.ts";
import { negativeImagePath } from "../../runs/folder.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import type { Studio } from "../../training/context.ts";

/** What a negative gives to the steps that use it. */
export interface Negative {
  readonly picture: EncodedPicture;
  readonly alignT: number;
}

export type Negatives = ReadonlyMap<string, Negative>;

export const negativeKey = (prompt: number, index: number) => `${prompt}/${index}`;

export interface NegativeOptions {
  /** Whether pictures that are there are an interrupted run's own, and need not be drawn again. */
  readonly reuse: boolean;
  /** Whether the negatives are not in the log yet. */
  readonly record: boolean;
  /** What was written before, by path: a picture that is something else now is drawn again. */
  readonly known: ReadonlyMap<string, string>;
}

/**
 * The starting model's pictures of the training prompts that some step will use.
 * @returns undefined when interrupted
 */
export async function drawNegatives(
  settings: TrainSettings,
  studio: Studio,
  recorder: Recorder,
  control: RunControl,
  { reuse, record, known }: NegativeOptions,
): Promise<Negatives | undefined> {
  const negatives = new Map<string, Negative>();
  if (!settings.preference) return negatives;
  const needed = negativesNeeded(settings.steps, drawOptions(settings, studio));
  const jobs = needed.map(({ prompt, negative }) => ({
    key: negativeKey(prompt, negative),
    text: studio.prompts.training[prompt].text,
    rewardText: studio.prompts.training[prompt].rewardText,
    seed: pictureSeed(settings.seed, "negative", prompt, negative),
    path: negativeImagePath(prompt, negative),
  }));
  const there = new Set<string>();
  if (reuse)
    for (const { path } of jobs) if (await isWhole(join(settings.output, path), known.get(path))) there.add(path);
  const painted = await studio.paint(jobs, {
    phase: "negatives",
    skip: ({ path }) => there.has(path),
    done: async (image, { path }) => {
      await writePng(join(settings.output, path), image);
    },
  });
  if (!painted) return undefined;
  for (const { key, rewardText, seed, path } of jobs) {
    const file = join(settings.output, path);
    const image = await readImage(file);
    const [{ alignT }] = await studio.scorer.score([image], [rewardText]);
    negatives.set(key, { picture: await encodePicture(image, studio.encode), alignT });
    if (record)
      await recorder.record({
        type: "negative",
        prompt: rewardText,
        seed,
        alignT,
        image: path,
        sha256: await digestOf(file),
      });
    control.emit({ type: "progress", phase: "encoding", done: negatives.size, total: jobs.length });
    if (control.shouldStop()) return undefined;
  }
  return negatives;
}

export function drawOptions(settings: TrainSettings, studio: Studio): DrawOptions {
  return {
    seed: settings.seed,
    photos: studio.photos.length,
    prompts: studio.prompts.training.length,
    negatives: settings.negatives,
  };
}
