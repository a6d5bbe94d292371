import { methodEntry } from "../../settings/learning.ts";
import type { TrainRequest } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import type { Machine } from "../machine.ts";

type Settings = Pick<TrainRequest, "method" | "adapter" | "trainTextEncoder" | "textEncoderLearningRate">;

/** @throws UsageError where what is asked of the text encoders cannot be trained */
export function checkTexts(
  { method, adapter, trainTextEncoder, textEncoderLearningRate: rate }: Settings,
  { precision }: Pick<Machine, "precision">,
): void {
  if (trainTextEncoder && adapter !== "lora")
    throw new UsageError(
      say`${setting("trainTextEncoder")} gives the text encoders a LoRA, beside one of the U-Net; it needs ${setting("adapter", "lora")}`,
    );
  if (rate !== undefined && !trainTextEncoder)
    throw new UsageError(
      say`${setting("textEncoderLr", rate)}: no text encoder trains; add ${setting("trainTextEncoder")} or leave it out`,
    );
  const { readsTexts = false } = methodEntry(method);
  if (readsTexts && ["float16", "mixed-float16"].includes(precision))
    throw new UsageError(
      say`${setting("precision", precision)}: ${setting("method", method)} computes in float32; use ${setting("precision", "float32")}`,
    );
}
