import { negativesNeeded } from "../training/draws.ts";
import type { RunEvent } from "../runs/events.ts";
import { defaultPrompts } from "../training/prompts.ts";
import type { TrainSettings } from "../settings/train-settings.ts";

/** Prompts at the end of a file that no step of a short run drew. */
const MOST_UNUSED = 64;
/** Cards to shuffle, some seconds. */
const MOST_WORK = 2e8;

/**
 * How many training prompts a run has, which its draws depend on. Its file of prompts is not in its folder and may have changed, but the negatives are
 * those that some step uses: the count is the one with which the draws give just these.
 *
 * @returns undefined where none does
 */
export function countPrompts(
  { class: className, prompts, seed, steps, negatives }: TrainSettings,
  events: readonly RunEvent[],
  photos: number,
): number | undefined {
  if (prompts === undefined) return defaultPrompts(className).training.length;
  const there = new Set(events.flatMap((event) => (event.type === "negative" ? [negativeKey(event.image)] : [])));
  if (there.size === 0 || photos === 0) return undefined;
  const least = 1 + Math.max(...[...there].map((key) => Number(key.split("/")[0])));
  for (let count = least; count <= least + MOST_UNUSED; count++) {
    const pairs = count * negatives;
    if (pairs <= steps) return there.size === pairs ? count : undefined;
    if (pairs * steps * (count - least + 1) > MOST_WORK) return undefined;
    const needed = negativesNeeded(steps, { seed, photos, prompts: count, negatives });
    if (needed.length === there.size && needed.every(({ prompt, negative }) => there.has(`${prompt}/${negative}`)))
      return count;
  }
  return undefined;
}

/** "images/negative-03-1.png" -> "3/1" */
export function negativeKey(image: string): string {
  const [, prompt, negative] = /(\d+)-(\d+)\.png$/.exec(image) ?? [];
  return `${Number(prompt)}/${Number(negative)}`;
}
