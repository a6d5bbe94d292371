import { createHash } from "node:crypto";
import { basename, join, sep } from "node:path";
import { z } from "zod";
import { UsageError } from "../system/errors.ts";
import { exists, makeFolder, readJson, writeJson } from "../system/files.ts";
import { isRecord, parseAs } from "../system/json.ts";
import { engineOf } from "./engine-name.ts";
import { stepNumber } from "./event-fields.ts";
import { CONFIG_FILE, IMAGES } from "./folder.ts";
import { judgingSchema, type Judging } from "./judged.ts";
import { settingsWhere, storedShape, withoutOthers } from "../settings/setting.ts";
import { subjectsOf } from "../settings/subjects.ts";
import { TRAIN } from "../settings/train.ts";
import { RUN_VERSION, versionOf, type RunVersion } from "./version.ts";
import { TRAINING_MODELS, type TrainingModel, type TrainSettings } from "../settings/train-settings.ts";

/** What a run was made with and from. */
export interface Provenance {
  readonly versions: {
    readonly rpo: string;
    readonly node: string;
    readonly onnxruntime: string;
    readonly platform: string;
  };
  /** Fingerprints of the model's and the reward's weights, hashes of what their folders say of themselves ("<folder>/*.json"), and hashes of the photos and of the file of prompts, by path as given. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** What config.json holds, the settings apart. */
export interface SavedConfig extends Provenance {
  /** The steps that the run was for before it was given more, in the order of time. */
  readonly grownFrom: readonly number[];
  /** Of the folder's form. */
  readonly version: RunVersion;
  readonly settings: TrainSettings;
  /** What it judges, of a run of `rpo judge`. */
  readonly judging?: Judging | undefined;
  /** How its rule of stopping watches a loss, if it does: as it trains. Absent in runs of earlier versions, which may have watched another. */
  readonly watches?: "trained" | undefined;
}

/** Stands in hashes for all that a model's folder says of itself. */
export const CONFIGURATION = "*.json";

/** config.json: every setting, resolved, with the versions and hashes of what they were used with. */
type RunConfig = TrainSettings &
  Provenance &
  Pick<SavedConfig, "judging" | "watches"> & { readonly grownFrom?: readonly number[] | undefined };

/** How often a run may be given more steps. */
const MOST_GROWTHS = 1000;

export const configSchema = z.strictObject({
  ...storedShape(TRAIN),
  versions: z.object({ rpo: z.string(), node: z.string(), onnxruntime: z.string(), platform: z.string() }),
  hashes: z.record(z.string(), z.string()),
  grownFrom: z.array(stepNumber).max(MOST_GROWTHS).optional(),
  judging: judgingSchema.optional(),
  watches: z.literal("trained").optional(),
}) satisfies z.ZodType<RunConfig>;

/** Begins a run's folder with its config.json. @param judging of a run of `rpo judge` */
export async function startRun(settings: TrainSettings, provenance: Provenance, judging?: Judging): Promise<void> {
  await makeFolder(join(settings.output, IMAGES));
  const own = withoutOthers(TRAIN, settings);
  const watches = settings.earlyStopping && settings.stop !== "reward" && { watches: "trained" };
  const content = {
    version: RUN_VERSION,
    ...own,
    ...provenance,
    ...(judging !== undefined && { judging }),
    ...watches,
  };
  await writeJson(join(settings.output, CONFIG_FILE), content);
}

/**
 * Whether a run goes on with what it began with. Its models may have moved with the hub's cache, its photos as their owner likes.
 * @param folders where they are now
 * @throws UsageError when a model's file, a photo or the file of prompts has changed since
 */
export async function checkUnchanged(
  run: string,
  folders: Pick<TrainSettings, TrainingModel | "images" | "concepts">,
  provenance: Provenance,
): Promise<void> {
  const { settings: saved, hashes } = await readRunConfig(run);
  const photos = subjectsOf(saved).map(({ images }, i) => [subjectsOf(folders).at(i)?.images, images] as const);
  const places = [...TRAINING_MODELS.map((key) => [folders[key], saved[key]] as const), ...photos];
  const formerPath = (file: string) => {
    for (const [now, former] of places) {
      if (now === undefined || former === undefined) continue;
      if (file === now || file.startsWith(now + sep)) return former + file.slice(now.length);
    }
    return file;
  };
  const now = new Map(Object.entries(provenance.hashes).map(([file, hash]) => [formerPath(file), { file, hash }]));
  for (const [former, { file, hash }] of now)
    if (hashes[former] !== hash && !isUnknown(former, hashes))
      throw new UsageError(
        `${file}: ${former in hashes ? "changed" : "added"} since the run in ${run} began; put back what it began with, or start a new run`,
      );
  for (const file of Object.keys(hashes))
    if (!now.has(file))
      throw new UsageError(
        `${file}: removed since the run in ${run} began; put back what it began with, or start a new run`,
      );
}

/** Runs of earlier versions do not say what their models' configurations were. */
function isUnknown(file: string, hashes: Provenance["hashes"]): boolean {
  return basename(file) === CONFIGURATION && !(file in hashes);
}

/** What has changed in the program and the machine since a run began, and makes its results differ in the last bits: a line each. */
export async function versionChanges(run: string, { versions: now }: Provenance): Promise<string[]> {
  const { versions: then } = await readRunConfig(run);
  return (["rpo", "onnxruntime", "platform"] as const).flatMap((part) => {
    if (then[part] === now[part]) return [];
    // OpenVINO's says so itself
    const what = engineOf(then).name === "OpenVINO" && part === "onnxruntime" ? then[part] : `${part} ${then[part]}`;
    return `the run was begun with ${what}; with ${now[part]} its results may differ in the last bits`;
  });
}

/** What says where something is: it may have moved. */
const PLACES = [...Object.keys(settingsWhere(TRAIN, ({ isPlace }) => isPlace === true)), "hashes"];

/**
 * The SHA-256 of what config.json says, but for the places where things are: a run goes on with the settings that it was saved with.
 * Taken from the file as it stands, so that it is the same for every version of the program.
 * @throws UsageError when it cannot be read
 */
export async function configHash(run: string): Promise<string> {
  return (await configHashes(run))[0];
}

/** {@link configHash}, and what it was each time before the run was given more steps, from the last of them back. @throws UsageError when it cannot be read */
export async function configHashes(run: string): Promise<readonly [string, ...string[]]> {
  const config = await readJson(join(run, CONFIG_FILE), UsageError);
  const values = isRecord(config) ? config : {};
  const { grownFrom } = values;
  const earlier = Array.isArray(grownFrom) ? grownFrom.slice(-MOST_GROWTHS) : [];
  return [
    hashOf(values),
    ...earlier.map((_, i) => {
      const count = earlier.length - 1 - i;
      const before: Record<string, unknown> = { ...values, steps: earlier[count], grownFrom: earlier.slice(0, count) };
      if (count === 0) delete before["grownFrom"];
      return hashOf(before);
    }),
  ];
}

function hashOf(config: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(config).filter(([key]) => !PLACES.includes(key));
  return createHash("sha256").update(JSON.stringify(entries)).digest("hex");
}

/** Writes into a run's config.json that it is for more steps, and for how many it was. @throws UsageError when it cannot be read */
export async function growConfig(run: string, steps: number): Promise<void> {
  const path = join(run, CONFIG_FILE);
  const { settings, grownFrom } = await readRunConfig(run);
  const config = await readJson(path, UsageError);
  if (settings.steps >= steps || !isRecord(config)) return;
  // last, and the rest as it stands: the hashes of before are made of it
  const rest = Object.entries(config).filter(([key]) => key !== "grownFrom");
  await writeJson(path, { ...Object.fromEntries(rest), steps, grownFrom: [...grownFrom, settings.steps] });
}

/** A run's config.json, the settings apart from where they were used. @throws UsageError when there is none, or it is damaged or of another version */
export async function readRunConfig(run: string): Promise<SavedConfig> {
  const path = join(run, CONFIG_FILE);
  if (!(await exists(path))) throw new UsageError(`${run}: no run here (expected ${CONFIG_FILE})`);
  const content = await readJson(path, UsageError);
  const version = isRecord(content) ? versionOf(content, path) : RUN_VERSION;
  const config = isRecord(content)
    ? Object.fromEntries(Object.entries(content).filter(([key]) => key !== "version"))
    : content;
  const {
    versions,
    hashes,
    judging,
    watches,
    grownFrom = [],
    ...settings
  } = parseAs(configSchema, config, path, UsageError);
  return { settings, version, versions, hashes, judging, watches, grownFrom };
}
