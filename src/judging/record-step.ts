import type { RunControl, ScoredImage } from "../runs/events.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { judgedValidation } from "../training/validation.ts";
import type { JudgedLog } from "./judged-log.ts";

/** Puts a step's pictures, once they are scored, into the log, and tells of it and of a new best one. */
export async function recordStep(
  step: number,
  images: readonly ScoredImage[],
  {
    log,
    settings,
    control,
  }: { readonly log: JudgedLog; readonly settings: TrainSettings; readonly control: RunControl },
): Promise<void> {
  const before = { validations: log.validations.filter((each) => each.step < step), anchors: log.anchors };
  const validation = judgedValidation({ step, images }, settings, before);
  const isBest = await log.put(validation);
  control.emit(validation);
  if (isBest) control.emit({ type: "best", step, reward: validation.reward });
}
