import { pairDealer, pairsNeeded } from "../methods/rpo/draws.ts";
import type { RunEvent } from "../runs/events.ts";
import { startingPicturePath } from "../runs/folder.ts";
import { defaultPrompts, subjectKind } from "../training/prompts.ts";
import type { TrainSettings } from "../settings/train-settings.ts";

/** Prompts at the end of a file that no step of a short run drew. */
const MOST_UNUSED = 64;
/** A limit on the draws that are made again to find the number of prompts: some seconds of work. */
const MOST_WORK = 2e8;

/**
 * The events of a run of version 1, whose steps do not say which negative they used: draws depend on seed and step alone, so they are made again.
 * @returns the events as they are where they say it, or where the run's prompts are no longer known
 */
export function withNegativesNamed(settings: TrainSettings, events: readonly RunEvent[]): readonly RunEvent[] {
  if (!settings.preference) return events;
  if (events.some((event) => event.type === "step" && event.startingPicture !== undefined)) return events;
  const prompts = countPrompts(settings, events);
  if (prompts === undefined) return events;
  const draw = pairDealer({ ...settings, prompts });
  return events.map((event) => {
    if (event.type !== "step") return event;
    const { prompt, negative } = draw(event.step);
    return { ...event, startingPicture: startingPicturePath("negative", prompt, negative) };
  });
}

/**
 * How many training prompts a run has, which its draws depend on. Its file of prompts is not in its folder and may have changed, but the negatives are
 * those that some step uses: the count is the one with which the draws give just these.
 *
 * @returns undefined where none does
 */
export function countPrompts(
  { class: className, subject, prompts, seed, steps, negatives }: TrainSettings,
  events: readonly RunEvent[],
): number | undefined {
  if (prompts === undefined) return defaultPrompts(subjectKind({ class: className, subject })).training.length;
  const drawn = events.filter((event) => event.type === "starting-picture");
  const there = new Set(drawn.map(({ promptIndex, index }) => `${promptIndex}/${index}`));
  if (there.size === 0) return undefined;
  const least = 1 + Math.max(...drawn.map(({ promptIndex }) => promptIndex));
  for (let count = least; count <= least + MOST_UNUSED; count++) {
    const pairs = count * negatives;
    if (pairs <= steps) return there.size === pairs ? count : undefined;
    if (pairs * steps * (count - least + 1) > MOST_WORK) return undefined;
    const needed = pairsNeeded(steps, { seed, prompts: count, negatives });
    if (needed.length === there.size && needed.every(({ prompt, negative }) => there.has(`${prompt}/${negative}`)))
      return count;
  }
  return undefined;
}
