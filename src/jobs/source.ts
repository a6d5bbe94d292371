import { basename, dirname, resolve } from "node:path";
import { readRunConfig } from "../rpo/run-config.ts";
import { CHECKPOINTS, exists, holdsRun } from "../rpo/run-folder.ts";
import { readBest } from "../rpo/selection.ts";
import { UsageError } from "../tensor/errors.ts";

/** A model, and what was trained on top of it. */
export interface Source {
  /** A diffusers folder or a file in the original layout. */
  readonly model: string;
  /** A LoRA's file or folder, or a fine-tuned U-Net's folder; undefined for the model as it is. */
  readonly adapter: string | undefined;
}

/**
 * The model and the checkpoint that flags mean: a run names both, by its config.json and best.json.
 * @throws UsageError where nothing names the model, or the run has no checkpoint yet
 */
export async function findSource({
  model,
  adapter,
}: {
  readonly model: string | undefined;
  readonly adapter: string | undefined;
}): Promise<Source> {
  if (adapter === undefined || !(await holdsRun(adapter))) {
    if (adapter !== undefined && !(await exists(adapter)))
      throw new UsageError(`--adapter ${adapter}: no such file or folder`);
    const base = model ?? (adapter === undefined ? undefined : await modelOfCheckpoint(adapter));
    if (base === undefined)
      throw new UsageError(
        "--model: expected a diffusers folder or a .safetensors file (only a run, or a checkpoint in its folder, as --adapter names its own model)",
      );
    return { model: base, adapter };
  }
  return { model: model ?? (await readRunConfig(adapter)).settings.model, adapter: await readBest(adapter) };
}

/** The model of the run whose checkpoints/ holds a folder. */
async function modelOfCheckpoint(adapter: string): Promise<string | undefined> {
  const folder = dirname(resolve(adapter));
  if (basename(folder) !== CHECKPOINTS) return undefined;
  const run = dirname(folder);
  return (await holdsRun(run)) ? (await readRunConfig(run)).settings.model : undefined;
}
