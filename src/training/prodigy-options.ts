import type { ProdigyOptions } from "../nn/prodigy.ts";
import type { TrainSettings } from "../settings/train-settings.ts";

/** Prodigy as the settings have it; undefined where AdamW trains. */
export function prodigyOf({
  optimizer,
  dCoef,
  growthRate,
}: Pick<TrainSettings, "optimizer" | "dCoef" | "growthRate">): ProdigyOptions | undefined {
  if (optimizer === "adamw") return undefined;
  return { dCoef, ...(growthRate !== undefined && { growthRate }) };
}
