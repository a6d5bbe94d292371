import { join } from "node:path";
import { UsageError } from "../tensor/errors.ts";
import { makeFolder, readJson, writeJson } from "../tensor/files.ts";
import { CONFIG_FILE, exists } from "./run-folder.ts";
import { checkVersion, RUN_VERSION } from "./run-version.ts";
import type { TrainSettings } from "./settings.ts";

/** What a run was made with and from. */
export interface Provenance {
  readonly versions: {
    readonly rpo: string;
    readonly node: string;
    readonly onnxruntime: string;
    readonly platform: string;
  };
  /** Fingerprints of the model's and the reward's files and hashes of the photos, by path as given. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** config.json: every setting, resolved, with the versions and hashes of what they were used with. */
export type RunConfig = TrainSettings & Provenance;

/**
 * Begins a run's folder with its config.json, or checks that what a run goes on with is what it began with.
 * @throws UsageError when a model's file or a photo has changed since
 */
export async function startRun(
  settings: TrainSettings,
  provenance: Provenance,
  { resume }: { readonly resume: boolean },
): Promise<void> {
  const path = join(settings.output, CONFIG_FILE);
  if (!resume) {
    await makeFolder(join(settings.output, "images"));
    await writeJson(path, { version: RUN_VERSION, ...settings, ...provenance });
    return;
  }
  const { hashes } = await readRunConfig(settings.output);
  for (const [file, hash] of Object.entries(provenance.hashes))
    if (hashes[file] !== hash)
      throw new UsageError(`${file}: changed or added since the run in ${settings.output} began; start a new run`);
  for (const file of Object.keys(hashes))
    if (!(file in provenance.hashes))
      throw new UsageError(`${file}: removed since the run in ${settings.output} began; start a new run`);
}

/** A run's config.json, the settings apart from where they were used. @throws UsageError when there is none, or of another version */
export async function readRunConfig(run: string): Promise<{ settings: TrainSettings } & Provenance> {
  const path = join(run, CONFIG_FILE);
  if (!(await exists(path))) throw new UsageError(`${run}: no run here (expected ${CONFIG_FILE})`);
  const config = checkVersion(await readJson(path, UsageError), path);
  const { versions, hashes, ...settings } = config as RunConfig;
  return { settings, versions, hashes };
}
