import type { TrainSettings } from "../settings/train-settings.ts";
import { checkBatches, checkOwnData } from "./batches.ts";
import type { Method } from "./method.ts";
import { checkBuckets } from "./photo-buckets.ts";

type Checked = Parameters<typeof checkBatches>[1] &
  Parameters<typeof checkOwnData>[1] &
  Pick<TrainSettings, "crop" | "positives">;

/** Whether a method can take photos as the settings have them. @throws UsageError naming the setting that it cannot have */
export function checkMethod(method: Method, settings: Checked): void {
  checkBatches(method, settings);
  checkOwnData(method, settings);
  checkBuckets(method, settings);
}
