import { resolveTraining } from "../../commands/train/resolve.ts";
import { runTask } from "../../engine/host.ts";
import type { CostEstimate } from "../../runs/events.ts";
import { UsageError } from "../../system/errors.ts";
import { noDownloads } from "../trainings/check.ts";

/** What a new run will cost: measured as `rpo train` does before it asks, and given up there. Nothing is written. */
export async function estimateOf(settings: Readonly<Record<string, unknown>>): Promise<CostEstimate> {
  const task = await resolveTraining({ settings, resume: false }, noDownloads);
  let found: CostEstimate | undefined;
  await runTask("train", task, {
    confirm: (estimate) => {
      found = estimate;
      return Promise.resolve(false);
    },
  });
  if (found === undefined) throw new UsageError("the cost could not be measured");
  return found;
}
