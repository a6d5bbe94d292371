import type { TrainSettings } from "../settings/train-settings.ts";

/**
 * What the learning rate of a step (from 1) is times of the whole: diffusers' `get_constant_schedule_with_warmup` and
 * `get_cosine_schedule_with_warmup`, whose first step counts as 0. A function of the step, so that a run that goes on has the rates of one that was not stopped.
 */
export function rateAt(
  step: number,
  { schedule, warmup, steps }: Pick<TrainSettings, "schedule" | "warmup" | "steps">,
): number {
  const done = step - 1;
  if (done < warmup) return done / Math.max(1, warmup);
  if (schedule === "constant") return 1;
  const part = (done - warmup) / Math.max(1, steps - warmup);
  return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * part)));
}
