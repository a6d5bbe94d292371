import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../tensor/errors.ts";
import { makeFolder, readJson, writeJson } from "../tensor/files.ts";
import { CONFIG_FILE, exists } from "./run-folder.ts";
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

/** The version of a run's folder, docs/run-folder.md; it counts up when a reader of the old form would go wrong. Folders without one are of version 1. */
export const RUN_VERSION = 1;

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

const configSchema = z.looseObject({
  version: z.int().default(RUN_VERSION),
  versions: z.looseObject({ rpo: z.string() }),
  hashes: z.record(z.string(), z.string()),
});

/**
 * A run's config.json, the settings apart from where they were used.
 * @throws UsageError when there is none, when it is no run's, or of a version that is not known here
 */
export async function readRunConfig(run: string): Promise<{ settings: TrainSettings } & Provenance> {
  const path = join(run, CONFIG_FILE);
  if (!(await exists(path))) throw new UsageError(`${run}: no run here (expected ${CONFIG_FILE})`);
  const parsed = configSchema.safeParse(await readJson(path, UsageError));
  if (!parsed.success) {
    const [{ path: where, message }] = parsed.error.issues;
    throw new UsageError(`${path}: this is not a run's: ${[...where, message].join(": ")}`);
  }
  const { version, versions, hashes, ...settings } = parsed.data as unknown as RunConfig & { readonly version: number };
  if (version !== RUN_VERSION)
    throw new UsageError(
      `${path}: version ${version} of a run's folder, written by rpo ${versions.rpo}; this rpo knows version ${RUN_VERSION} only: use that one`,
    );
  return { settings, versions, hashes };
}
