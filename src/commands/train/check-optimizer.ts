import { PRODIGY_LEARNING_RATE } from "../../settings/optimizer.ts";
import type { TrainRequest } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";

type Settings = Pick<
  TrainRequest,
  "optimizer" | "dCoef" | "growthRate" | "learningRate" | "textEncoderLearningRate" | "imageAdapterLearningRate"
>;

/** @throws UsageError where settings of what updates the weights do not go together */
export function checkOptimizer({
  optimizer,
  dCoef,
  growthRate,
  learningRate,
  textEncoderLearningRate: textEncoderLr,
  imageAdapterLearningRate: imageAdapterLr,
}: Settings): void {
  if (optimizer !== "prodigy") {
    const [name, value] = growthRate === undefined ? ["dCoef", dCoef] : ["growthRate", growthRate];
    if (value !== 1)
      throw new UsageError(
        say`${setting(name, value)} is of Prodigy's estimate; add ${setting("optimizer", "prodigy")} or leave it out`,
      );
    return;
  }
  const rate = learningRate ?? PRODIGY_LEARNING_RATE;
  for (const [name, other] of Object.entries({ textEncoderLr, imageAdapterLr })) {
    if (other === undefined || other === rate) continue;
    throw new UsageError(say`${setting(name, other)}: Prodigy has one rate for all that trains, ${rate}; leave it out`);
  }
}
