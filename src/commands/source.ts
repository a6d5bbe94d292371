import { readdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { repairRun } from "../runs/repair.ts";
import { readRunConfig } from "../runs/config.ts";
import { CHECKPOINTS, holdsRun } from "../runs/folder.ts";
import { readBest } from "../runs/best.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";

/** A model, and what was trained on top of it. */
export interface Source {
  /** A diffusers folder or a file in the original layout. */
  readonly model: string;
  /** Of its weights, such as "fp16". */
  readonly variant: string | undefined;
  /** A LoRA's file or folder, or a fine-tuned U-Net's folder; undefined for the model as it is. */
  readonly adapter: string | undefined;
}

/** What flags say of it. */
interface Wanted {
  readonly model: string | undefined;
  readonly variant?: string | undefined;
  readonly adapter: string | undefined;
}

/**
 * The model and the checkpoint that flags mean: a run names both, by its config.json and best.json.
 * @throws UsageError where nothing names the model, the run has no checkpoint yet, or one that is not in its folder
 */
export async function findSource({ model, variant, adapter }: Wanted): Promise<Source> {
  if (adapter !== undefined && !(await exists(adapter)))
    throw new UsageError(`--adapter ${adapter}: no such file or folder`);
  const run = adapter === undefined ? undefined : await runOf(adapter);
  if (run !== undefined) await repairRun(run);
  const checkpoint = run !== undefined && run === adapter ? await readBest(run) : adapter;
  if (run !== undefined && checkpoint !== undefined) await checkOwn(run, checkpoint);
  if (model !== undefined) return { model, variant, adapter: checkpoint };
  if (run === undefined)
    throw new UsageError(
      "--model: expected a diffusers folder or a .safetensors file (only a run, or a checkpoint in its folder, as --adapter names its own model)",
    );
  const { settings } = await readRunConfig(run);
  return { model: settings.model, variant: variant ?? settings.variant, adapter: checkpoint };
}

/** A run may come from others, and what is drawn or exported from it be sent on. @throws UsageError when a file of the checkpoint leads out of the run's folder */
async function checkOwn(run: string, checkpoint: string): Promise<void> {
  const path = relative(run, checkpoint);
  for (const name of ["", ...(await readdir(checkpoint).catch((): string[] => []))]) insideOf(run, join(path, name));
}

/** The run that an adapter is, or whose checkpoint it is. */
export async function runOf(adapter: string): Promise<string | undefined> {
  return (await holdsRun(adapter)) ? adapter : runOfCheckpoint(adapter);
}

/** The run whose checkpoints/ holds a folder. */
export async function runOfCheckpoint(adapter: string): Promise<string | undefined> {
  const folder = dirname(resolve(adapter));
  if (basename(folder) !== CHECKPOINTS) return undefined;
  const run = dirname(folder);
  return (await holdsRun(run)) ? run : undefined;
}
