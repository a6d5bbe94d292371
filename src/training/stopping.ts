import { bestStep } from "../reward/choice.ts";
import { hasStoppedFalling, isStill, type Measured } from "../reward/fixed-loss.ts";
import { countedOf, isOutOfPatience } from "../reward/patience.ts";
import type { StepEvent, StopReason } from "../runs/events.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { TrainSettings } from "../settings/train-settings.ts";

type Settings = Pick<TrainSettings, "earlyStopping" | "stop">;

/** The curve of the loss that a run's rule watches, in the events of the steps it was measured after; undefined where none is watched. */
export function watchedCurve({ earlyStopping, stop }: Settings): "fixed" | "heldOut" | undefined {
  if (!earlyStopping || stop === "reward") return undefined;
  return stop === "variance" ? "fixed" : "heldOut";
}

/** What a run has measured, of the steps in its log. */
export function measuredIn(steps: readonly StepEvent[], settings: Settings): Measured[] {
  const curve = watchedCurve(settings);
  if (curve === undefined) return [];
  return steps.flatMap(({ step, curves }) => (curve in curves ? [{ step, loss: curves[curve] }] : []));
}

/** Whether a validation is the last one, and why, by the run's rule. Those out of turn change nothing of that. */
export function reasonToStop(
  { validations, scale }: Pick<Recorder, "validations" | "scale">,
  measured: readonly Measured[],
  settings: Settings & Pick<TrainSettings, "patience" | "lambda" | "stopWindow" | "stopThreshold">,
): StopReason | undefined {
  const counted = countedOf(validations);
  const { earlyStopping, stop, patience, lambda, stopWindow: window, stopThreshold: threshold } = settings;
  if (!earlyStopping) return undefined;
  switch (stop) {
    case "reward":
      return isOutOfPatience(counted, bestStep(counted, lambda, scale), patience) ? "patience" : undefined;
    case "variance":
      return isStill(measured, { window, threshold }) ? "loss" : undefined;
    case "held-out": {
      const validated = counted.map(({ step }) => step);
      return hasStoppedFalling(measured, { validated, patience }) ? "loss" : undefined;
    }
  }
}
