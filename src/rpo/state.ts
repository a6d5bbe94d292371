import { join } from "node:path";
import { z } from "zod";
import type { AdamW } from "../nn/adamw.ts";
import { UsageError } from "../tensor/errors.ts";
import { writeJson } from "../tensor/files.ts";
import { openSafetensors, writeSafetensors } from "../tensor/safetensors.ts";
import { exists } from "./run-folder.ts";

/** Where a run stands, apart from its weights. Draws depend on the seed and the step alone, so there is no random state but these. */
export interface Progress {
  /** Optimizer steps taken. */
  readonly step: number;
  /** The length of events.jsonl that belongs to this state. */
  readonly eventsLength: number;
  readonly finished: boolean;
}

const progressSchema = z.strictObject({ step: z.int().min(0), eventsLength: z.int().min(0), finished: z.boolean() });

const WEIGHTS_FILE = "state.safetensors";
/** A copy of the progress for people and tools; resuming reads the one inside the weights' file, so that both always belong together. */
const PROGRESS_FILE = "state.json";
const METADATA_KEY = "rpo_progress";

/** The arenas of an optimizer under the names that the file has. */
function tensorsOf({ parameters, moments }: AdamW) {
  return [
    ["param", parameters],
    ["first", moments.first],
    ["second", moments.second],
  ] as const;
}

/** Writes the trained weights, the optimizer's moments and the progress, all in one atomic step. */
export async function saveState(run: string, optimizer: AdamW, progress: Progress): Promise<void> {
  const tensors = tensorsOf(optimizer).flatMap(([kind, map]) =>
    [...map].map(([name, tensor]) => ({ name: `${kind}.${name}`, tensor })),
  );
  await writeSafetensors(join(run, WEIGHTS_FILE), tensors, { metadata: { [METADATA_KEY]: JSON.stringify(progress) } });
  await writeJson(join(run, PROGRESS_FILE), progress);
}

/** The progress of a run; undefined before its first state was saved. @throws ModelError when the file is damaged */
export async function readProgress(run: string): Promise<Progress | undefined> {
  const path = join(run, WEIGHTS_FILE);
  if (!(await exists(path))) return undefined;
  const text = (await openSafetensors(path)).metadata.get(METADATA_KEY);
  const parsed = progressSchema.safeParse(JSON.parse(text ?? "null"));
  if (!parsed.success) throw new UsageError(`${path}: this is not the state of a run`);
  return parsed.data;
}

/** Puts a saved state into an optimizer. @throws UsageError when the state is of other weights */
export async function loadState(run: string, optimizer: AdamW, { step }: Progress): Promise<void> {
  const path = join(run, WEIGHTS_FILE);
  const file = await openSafetensors(path);
  for (const [kind, map] of tensorsOf(optimizer))
    for (const [name, tensor] of map) {
      const saved = await file.read(`${kind}.${name}`);
      if (saved.data.length !== tensor.data.length)
        throw new UsageError(
          `${path}: ${name} has ${saved.data.length} elements, the model's ${tensor.data.length}: is this another model?`,
        );
      tensor.data.set(saved.data);
    }
  optimizer.stepCount = step;
}
