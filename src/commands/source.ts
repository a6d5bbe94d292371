import { readdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import type { Prediction } from "../checkpoints/prediction.ts";
import { repairRun } from "../runs/repair.ts";
import { readRunConfig, type Provenance } from "../runs/config.ts";
import { CHECKPOINTS, holdsRun } from "../runs/folder.ts";
import { readBest } from "../runs/best.ts";
import { judgedProblem, readJudged, type JudgedCheckpoint, type Judging } from "../runs/judged.ts";
import { TRAIN_DEFAULTS, type TrainingModel, type TrainSettings } from "../settings/train-settings.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { exists } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";
import type { Interaction } from "./interaction.ts";
import { readModelDefaults } from "./models/defaults.ts";
import { findModels, restoreModel } from "./models/hub-models.ts";
import { changedFile, checkThere } from "./models/moved.ts";
import { TRAIN } from "../settings/train.ts";

/** A model, what was trained on top of it, and how that is drawn with. */
export interface Source {
  /** A diffusers folder or a file in the original layout. */
  readonly model: string;
  /** Of its weights, such as "fp16". */
  readonly variant: string | undefined;
  /** Another VAE than its own. */
  readonly vae: string | undefined;
  /** Another prediction than it says itself. */
  readonly prediction: Prediction | undefined;
  /** A LoRA's file or folder, or a fine-tuned U-Net's folder; undefined for the model as it is. */
  readonly adapter: string | undefined;
  /** Another program's LoRA files in its place, of a run that judged them. Default: none. */
  readonly loras?: readonly SourceLora[];
  /** What was chosen: a run's checkpoint, or what was named; undefined for the starting model. */
  readonly checkpoint?: string | undefined;
  /** The guidance to draw with where none is asked for: that of the run's own pictures, else the model's default of training. */
  readonly guidance: number;
  /** The run that the adapter is of. */
  readonly run: SourceRun | undefined;
}

export interface SourceLora {
  readonly path: string;
  readonly weight: number;
}

export interface SourceRun {
  readonly folder: string;
  readonly settings: TrainSettings;
  /** Of what it was trained on, by path. */
  readonly hashes: Provenance["hashes"];
  /** What it judges, of a run of `rpo judge`. */
  readonly judging?: Judging | undefined;
}

/** What is asked for. */
export interface WantedSource {
  readonly model?: string | undefined;
  readonly variant?: string | undefined;
  readonly vae?: string | undefined;
  readonly prediction?: Prediction | undefined;
  readonly adapter?: string | undefined;
  /** Whether a run's model has to be what the run was trained on; else another one is only told. Default: it need not. */
  readonly ownModel?: boolean;
}

/**
 * What to draw with or to export: a run as adapter names its checkpoint (best.json) and its model, which is fetched again where it is no
 * longer in the hub's cache. Without adapter and model it is the embedded model.
 * @throws UsageError where nothing names the model, the run has no checkpoint yet, or one that is not in its folder
 */
export async function findSource(
  { model: named, variant, vae: namedVae, prediction, adapter, ownModel = false }: WantedSource,
  interaction: Interaction,
): Promise<Source> {
  const { checkpoint, run, judged } = adapter === undefined ? {} : await findCheckpoint(adapter);
  const chosen = { checkpoint, run, adapter: checkpoint };
  if (named === undefined && run !== undefined) {
    const { settings, judging } = run;
    const wanted = variant ?? settings.variant;
    if (judging?.samples !== undefined && judged?.kind !== "model")
      throw new UsageError(
        say`${setting("model")} is missing: ${run.folder} judged pictures that were there, and does not know the model that they were drawn with`,
      );
    if (judged?.kind === "model")
      return placed(
        { ...chosen, model: judged.path, variant: undefined, vae: namedVae, prediction, guidance: settings.guidance },
        judged,
      );
    const model = await restoreModel("model", settings.model, interaction, wanted);
    await checkThere("model", model, run.folder);
    sayIfUntrained(adapter, checkpoint, interaction);
    if (ownModel) await checkOwnModel(run, model);
    await sayIfChanged(run, "model", model, interaction);
    const vae = namedVae === undefined ? await vaeOf(run, interaction) : await findVae(namedVae, interaction);
    const drawn = { model, variant: wanted, vae, prediction: prediction ?? settings.prediction };
    return placed({ ...chosen, ...drawn, guidance: settings.guidance }, judged);
  }
  if (named === undefined && adapter !== undefined)
    throw new UsageError(
      say`${setting("model")}: expected a diffusers folder or a .safetensors file (only a run, or a checkpoint in its folder, as ${setting("adapter")} names its own model)`,
    );
  const name = named ?? EMBEDDED_MODEL;
  const { model = name } = await findModels({ model: { setting: "model", name, variant } }, interaction);
  const guidance = run?.settings.guidance ?? (await guidanceOf(model));
  const found = namedVae === undefined ? undefined : await findVae(namedVae, interaction);
  const asNamed = { ...chosen, model, variant, vae: found, prediction, guidance };
  if (run === undefined) return asNamed;
  sayIfUntrained(adapter, checkpoint, interaction);
  if (ownModel) await checkOwnModel(run, model);
  // a run's own model is drawn with as the run did, wherever it lies now
  const isOwn = await sayIfChanged(run, "model", model, interaction);
  const vae = found ?? (isOwn ? await vaeOf(run, interaction) : undefined);
  const own = isOwn ? run.settings.prediction : undefined;
  return placed({ ...asNamed, vae, prediction: prediction ?? own }, judged);
}

/** A source whose checkpoint is another program's file. */
function placed(source: Source, judged: JudgedCheckpoint | undefined): Source {
  if (judged === undefined) return source;
  const { kind, path } = judged;
  if (kind === "unet") return { ...source, adapter: path };
  if (kind === "lora") return { ...source, adapter: undefined, loras: [{ path, weight: 1 }] };
  return { ...source, adapter: undefined, model: path, variant: undefined };
}

/** A run whose pictures were best before it learnt anything draws as the model does without it. */
function sayIfUntrained(adapter: string | undefined, checkpoint: string | undefined, interaction: Interaction): void {
  if (adapter !== undefined && checkpoint === undefined)
    interaction.warn(
      `the best of ${adapter} is its starting model: this is the model as it was before training; another checkpoint is a folder in ${join(adapter, CHECKPOINTS)}`,
    );
}

/** What was trained on one model and is drawn with another draws something else. @returns whether it is the run's own */
export async function sayIfChanged(
  run: SourceRun,
  name: TrainingModel,
  path: string,
  interaction: Interaction,
): Promise<boolean> {
  const changed = await changedFile(run, name, path);
  if (changed !== undefined)
    interaction.warn(
      `${changed}: not what ${run.folder} was trained on (${run.settings[name] ?? ""}); its pictures will be others than the run's`,
    );
  return changed === undefined;
}

/** @throws UsageError for a model that is not what the run was trained on */
async function checkOwnModel(run: SourceRun, model: string): Promise<void> {
  const changed = await changedFile(run, "model", model);
  if (changed !== undefined)
    throw new UsageError(
      say`${changed}: not what ${run.folder} was trained on (${run.settings.model}); give that model: ${setting("model")}`,
    );
}

async function findVae(name: string, interaction: Interaction): Promise<string> {
  const { vae = name } = await findModels({ vae: { setting: "vae", name } }, interaction);
  return vae;
}

/** A run's VAE, where it had another than its model's. */
async function vaeOf(run: SourceRun, interaction: Interaction): Promise<string | undefined> {
  const { vae } = run.settings;
  if (vae === undefined) return undefined;
  const path = await restoreModel("vae", vae, interaction);
  await checkThere("vae", path, run.folder);
  await sayIfChanged(run, "vae", path, interaction);
  return path;
}

/**
 * The checkpoint that an adapter stands for, and its run: of a run what its best.json names, undefined for the starting model; anything
 * else stands for itself.
 * @throws UsageError when it is not there, the run has no checkpoint yet, or one that leads out of its folder
 */
export async function findCheckpoint(adapter: string): Promise<FoundCheckpoint> {
  if (!(await exists(adapter))) throw new UsageError(say`${setting("adapter", adapter)}: no such file or folder`);
  const isRun = await holdsRun(adapter);
  const folder = isRun ? adapter : await runOfCheckpoint(adapter);
  if (folder === undefined) return { checkpoint: adapter, run: undefined };
  await repairRun(folder);
  const checkpoint = isRun ? await readBest(folder) : adapter;
  if (checkpoint !== undefined) await checkOwn(folder, checkpoint);
  const { settings, hashes, judging } = await readRunConfig(folder);
  const judged = checkpoint === undefined || judging === undefined ? undefined : await readJudged(checkpoint);
  const problem = judged && (await judgedProblem(judged));
  if (problem !== undefined) throw new UsageError(`${problem}; put it back, or judge again with rpo judge`);
  if (judging !== undefined && checkpoint !== undefined && judged === undefined)
    throw new UsageError(
      `${checkpoint}: the run judged pictures, and does not know which file drew them; draw with that file itself`,
    );
  return { checkpoint, run: { folder, settings, hashes, judging }, judged };
}

/** What an adapter stands for. */
export interface FoundCheckpoint {
  readonly checkpoint: string | undefined;
  readonly run: SourceRun | undefined;
  /** Another program's file that is in the checkpoint's place, of a run that judged it. */
  readonly judged?: JudgedCheckpoint | undefined;
}

/** A run may come from others, and what is drawn or exported from it be sent on. @throws UsageError when a file of the checkpoint leads out of the run's folder */
async function checkOwn(run: string, checkpoint: string): Promise<void> {
  const path = relative(run, checkpoint);
  for (const name of ["", ...(await readdir(checkpoint).catch((): string[] => []))]) insideOf(run, join(path, name));
}

/** The run whose checkpoints/ holds a folder. */
async function runOfCheckpoint(adapter: string): Promise<string | undefined> {
  const folder = dirname(resolve(adapter));
  if (basename(folder) !== CHECKPOINTS) return undefined;
  const run = dirname(folder);
  return (await holdsRun(run)) ? run : undefined;
}

/** The guidance that a model's rpo.json trains with, else the usual one. @throws ModelError when its own is no number of 0 or more */
async function guidanceOf(model: string): Promise<number> {
  const { guidance = TRAIN_DEFAULTS.guidance } = await readModelDefaults(model, {});
  const parsed = TRAIN.guidance.given.safeParse(guidance);
  if (!parsed.success) throw new ModelError(`${model}: rpo.json: guidance: ${parsed.error.issues[0]?.message ?? ""}`);
  return parsed.data;
}
