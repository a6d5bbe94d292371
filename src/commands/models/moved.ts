import { basename, sep } from "node:path";
import { configurationHash } from "../../checkpoints/configuration-hash.ts";
import { fingerprint } from "../../checkpoints/hashes.ts";
import { CONFIGURATION, type Provenance } from "../../runs/config.ts";
import { subjectsOf } from "../../settings/subjects.ts";
import type { TrainingModel, TrainSettings } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { MODEL_SETTINGS } from "./names.ts";

/** A run's models are its user's own, in folders that may be moved, removed or written anew after it began. */

/** What a run says of where it comes from. */
export interface RunOrigin {
  readonly settings: Pick<TrainSettings, TrainingModel | "images" | "prompts" | "concepts">;
  readonly hashes: Provenance["hashes"];
}

/** @throws UsageError saying what was expected where, and what to give, unless a run's model is there */
export async function checkThere(name: TrainingModel, path: string, run: string): Promise<void> {
  if (await exists(path)) return;
  throw new UsageError(
    say`${run}: its ${name} is no longer at ${path} (expected ${MODEL_SETTINGS[name].expected}); say where it is now with ${setting(name)}`,
  );
}

/**
 * The first of the files of one of a run's models that is not what the run was trained on.
 * @param now where that is now
 * @returns undefined where all are the same
 */
export async function changedFile(
  { settings, hashes }: RunOrigin,
  name: TrainingModel,
  now: string,
): Promise<string | undefined> {
  const former = settings[name] ?? "";
  const { prompts } = settings;
  const photos = subjectsOf(settings).map(({ images }) => images + sep);
  for (const [file, hash] of Object.entries(hashes)) {
    if (file !== former && !file.startsWith(former + sep)) continue;
    // the file of prompts that came with a model, or photos in its folder, are none of it
    if (file === prompts || photos.some((folder) => file.startsWith(folder))) continue;
    const path = now + file.slice(former.length);
    const isConfiguration = basename(file) === CONFIGURATION;
    const found = await (isConfiguration ? configurationHash(now) : fingerprint(path)).catch(() => undefined);
    if (found !== hash) return path;
  }
  return undefined;
}
