import { z } from "zod";
import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import { readRunConfig } from "../rpo/run-config.ts";
import { exists, holdsRun } from "../rpo/run-folder.ts";
import { UsageError } from "../tensor/errors.ts";
import type { Asker } from "./asker.ts";
import { findModels, restoreModel } from "./hub-models.ts";
import { fields } from "./options.ts";

const { integer, atLeast } = fields;

/** How pictures are drawn. */
export const drawingFields = {
  negative: z.string("expected text").optional(),
  seed: integer(0).default(0),
  sampler: fields.sampler.default("dpm"),
  steps: integer(1, 1000).default(20),
  guidance: atLeast(0).default(7.5),
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
}

/** The model to draw with: the one named, else the one of the run that the adapter is, else the embedded one. @throws UsageError */
export async function findDrawingModel({ model, variant, adapter }: WantedSource, asker: Asker): Promise<FoundModel> {
  if (adapter !== undefined && !(await exists(adapter)))
    throw new UsageError(`--adapter ${adapter}: no such file or folder`);
  if (model === undefined && adapter !== undefined) {
    if (!(await holdsRun(adapter))) return { model, variant, adapter };
    const run = (await readRunConfig(adapter)).settings;
    const wanted = variant ?? run.variant;
    return { model: await restoreModel("--model", run.model, asker, wanted), variant: wanted, adapter };
  }
  const found = await findModels({ model: { flag: "--model", name: model ?? EMBEDDED_MODEL, variant } }, asker);
  return { model: found.model, variant, adapter };
}
