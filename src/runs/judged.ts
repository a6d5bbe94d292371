import { join } from "node:path";
import { z } from "zod";
import { fingerprint } from "../checkpoints/hashes.ts";
import { UsageError } from "../system/errors.ts";
import { exists, makeFolder, readJson, writeJson } from "../system/files.ts";
import { parseAs } from "../system/json.ts";
import { stepNumber } from "./event-fields.ts";
import { checkpointPath } from "./folder.ts";

/**
 * Runs of `rpo judge`: their checkpoints are another program's files, which stay where they are. In the place of each stands a file that says
 * where it is and what it was when it was judged.
 */

/** In a checkpoint's folder, in the place of its weights. */
export const JUDGED_FILE = "judged.json";

/** What a run judges, in its config.json. */
export interface Judging {
  /** Where the checkpoints are looked for: files, folders, and paths with * and ? in them. */
  readonly checkpoints: readonly string[];
  /** The folder with the pictures that the trainer drew; absent where this program draws. */
  readonly samples?: string | undefined;
}

export const judgingSchema = z.strictObject({
  checkpoints: z.array(z.string()),
  samples: z.string().optional(),
}) satisfies z.ZodType<Judging>;

/**
 * What kind of thing was trained: a LoRA of any program's, a whole U-Net's folder, or a whole model (a diffusers folder, a file in the
 * original layout).
 */
export const TRAINED_KINDS = ["lora", "unet", "model"] as const;
export type TrainedKind = (typeof TRAINED_KINDS)[number];

/** A checkpoint of another program's. */
export interface JudgedCheckpoint {
  /** The step that it counts as. */
  readonly step: number;
  /** The file or folder. */
  readonly path: string;
  readonly kind: TrainedKind;
  /** Fingerprints of its files, by their paths. */
  readonly files: Readonly<Record<string, string>>;
}

const judgedSchema = z.object({
  step: stepNumber,
  path: z.string(),
  kind: z.enum(TRAINED_KINDS),
  files: z.record(z.string(), z.string()),
}) satisfies z.ZodType<JudgedCheckpoint>;

/** Writes where a step's checkpoint is. */
export async function writeJudged(run: string, checkpoint: JudgedCheckpoint): Promise<void> {
  const folder = join(run, checkpointPath(checkpoint.step));
  await makeFolder(folder);
  await writeJson(join(folder, JUDGED_FILE), checkpoint);
}

/**
 * What a checkpoint's folder says of another program's file.
 * @returns undefined for a checkpoint of a training
 * @throws UsageError when it is damaged
 */
export async function readJudged(folder: string): Promise<JudgedCheckpoint | undefined> {
  const path = join(folder, JUDGED_FILE);
  if (!(await exists(path))) return undefined;
  return parseAs(judgedSchema, await readJson(path, UsageError), path, UsageError);
}

/** What of a judged checkpoint is no longer what was judged: the first such file and what is wrong; undefined where all is well. */
export async function judgedProblem({ files }: Pick<JudgedCheckpoint, "files">): Promise<string | undefined> {
  for (const [file, before] of Object.entries(files)) {
    const now = await fingerprint(file).catch(() => undefined);
    if (now === undefined) return `${file}: no longer there`;
    if (now !== before) return `${file}: no longer what was judged`;
  }
  return undefined;
}

/**
 * What is wrong with the files of a run's steps: those that are no longer there, as trainers remove older ones, or no longer what was judged.
 * Steps whose files are well, and those that have none of their own, are left out.
 */
export async function goneFiles(run: string, steps: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const gone = new Map<number, string>();
  for (const step of steps) {
    const judged = await readJudged(join(run, checkpointPath(step))).catch(() => undefined);
    const problem = judged && (await judgedProblem(judged));
    if (problem !== undefined) gone.set(step, problem);
  }
  return gone;
}

/** Files whose folder's name says which checkpoint they are. */
const PLAIN = ["pytorch_lora_weights.safetensors", "adapter_model.safetensors", "lora.safetensors", "unet"];

/** What to call a judged checkpoint: its file's name, with its folder where the name is that of all. */
export function judgedName({ path }: Pick<JudgedCheckpoint, "path">): string {
  const parts = path.split(/[\\/]/);
  return parts.slice(PLAIN.includes(parts[parts.length - 1]) ? -2 : -1).join("/");
}
