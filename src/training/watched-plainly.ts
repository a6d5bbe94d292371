import { basename } from "node:path";
import { readRunConfig } from "../runs/config.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { readHeldOutData } from "./own-data.ts";
import type { Photo } from "./photos.ts";
import { watchedCurve } from "./stopping.ts";

/**
 * Rules of stopping once watched the photos' loss with the plain prompt, without masks and weights, also where the training had them. A run that
 * was begun so goes on so: its rule compares what it measures with what it measured.
 */

/** What people should know of such a run. */
export const PLAINLY =
  "the run was begun by a version whose rule of stopping watched the loss without captions, masks and min-SNR; it goes on to";

/**
 * Whether a run that goes on is one of these.
 * @param heldOut the photo that it watches, where that is one that no step sees
 */
export async function watchesPlainly(
  settings: Pick<
    TrainSettings,
    "output" | "stop" | "earlyStopping" | "captions" | "maskedLoss" | "minSnr" | "token" | "class" | "images"
  >,
  heldOut: Photo | undefined,
): Promise<boolean> {
  const { captions, maskedLoss, minSnr, output } = settings;
  if (watchedCurve(settings) === undefined) return false;
  if (captions === "off" && !maskedLoss && minSnr === undefined) return false;
  const { watches, hashes } = await readRunConfig(output);
  if (watches !== undefined) return false;
  if (heldOut === undefined) return true;
  // what was read beside the photo says that it was watched as it trains
  const { files } = await readHeldOutData(heldOut, settings, { isBegun: true });
  const known = new Set(Object.keys(hashes).map((path) => basename(path)));
  return !files.some((path) => known.has(basename(path)));
}
