import { z } from "zod";
import { EMBEDDED_MODEL } from "../../checkpoints/embedded.ts";
import { runOf } from "../source.ts";
import { readRunConfig } from "../../runs/config.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { ModelError, UsageError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import type { Asker } from "../asker.ts";
import { findModels, restoreModel } from "../models/hub-models.ts";
import { readModelDefaults } from "../models/defaults.ts";
import { fields } from "../options.ts";

const { integer } = fields;

/** How pictures are drawn. */
export const drawingFields = {
  negative: z.string("expected text").optional(),
  seed: integer(0).default(0),
  sampler: fields.sampler.default("dpm"),
  steps: integer(1, 1000).default(20),
  /** Default: the found model's. */
  guidance: fields.guidance.optional(),
  height: integer(8, 4096).optional(),
  width: integer(8, 4096).optional(),
};

/** What to draw with. */
export interface WantedSource {
  readonly model?: string | undefined;
  readonly variant?: string | undefined;
  readonly adapter?: string | undefined;
}

/** A model as an engine is told of it. */
export interface FoundModel {
  /** A folder or file; undefined where the adapter says itself what it belongs to. */
  readonly model: string | undefined;
  readonly variant: string | undefined;
  readonly adapter: string | undefined;
  /** The guidance to draw with where none is asked for: that of the run's own pictures, else the model's default of training. */
  readonly guidance: number;
}

/** The model to draw with: the one named, else the one of the run that the adapter is, else the embedded one. @throws UsageError */
export async function findDrawingModel(
  { model: named, variant, adapter }: WantedSource,
  asker: Asker,
): Promise<FoundModel> {
  if (adapter !== undefined && !(await exists(adapter)))
    throw new UsageError(`--adapter ${adapter}: no such file or folder`);
  const folder = adapter === undefined ? undefined : await runOf(adapter);
  const run = folder === undefined ? undefined : (await readRunConfig(folder)).settings;
  if (named === undefined && run !== undefined) {
    const wanted = variant ?? run.variant;
    const model = await restoreModel("--model", run.model, asker, wanted);
    return { model, variant: wanted, adapter, guidance: run.guidance };
  }
  if (named === undefined && adapter !== undefined)
    return { model: undefined, variant, adapter, guidance: await guidanceOf(undefined) };
  const { model } = await findModels({ model: { flag: "--model", name: named ?? EMBEDDED_MODEL, variant } }, asker);
  return { model, variant, adapter, guidance: run?.guidance ?? (await guidanceOf(model)) };
}

/** @throws ModelError when the model's own default is no number of 0 or more */
async function guidanceOf(model: string | undefined): Promise<number> {
  if (model === undefined) return TRAIN_DEFAULTS.guidance;
  const { guidance = TRAIN_DEFAULTS.guidance } = await readModelDefaults(model, {});
  const parsed = fields.guidance.safeParse(guidance);
  if (!parsed.success) throw new ModelError(`${model}: rpo.json: guidance: ${parsed.error.issues[0]?.message ?? ""}`);
  return parsed.data;
}
