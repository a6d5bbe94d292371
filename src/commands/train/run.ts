import { loadMethod } from "../../methods/load.ts";
import type { RunControl } from "../../runs/events.ts";
import type { TrainRequest } from "../../settings/train-settings.ts";
import type { openContext } from "../../training/open-context.ts";
import { train, type TrainResult } from "../../training/train.ts";

/** Trains by the method that the request names. @param open see {@link train} */
export async function trainByMethod(
  request: TrainRequest,
  options: { readonly resume: boolean; readonly dryRun?: boolean },
  control: RunControl,
  open?: typeof openContext,
): Promise<TrainResult> {
  return train(request, await loadMethod(request.method), options, control, open);
}
