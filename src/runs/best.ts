import { join } from "node:path";
import { z } from "zod";
import { REWARD_FORMS } from "../settings/reward-form.ts";
import { UsageError } from "../system/errors.ts";
import { exists, readJson, writeJson } from "../system/files.ts";
import type { Chosen } from "../reward/choice.ts";
import { share } from "../system/numbers.ts";
import { stepNumber } from "./event-fields.ts";
import { BEST_FILE, CHECKPOINTS, checkpointPath, readEvents } from "./folder.ts";

/** best.json: which checkpoint of a run is drawn with. */

/** Who chose a checkpoint: the reward at some lambda, or somebody who looked at the pictures. */
export const CHOOSERS = ["reward", "person"] as const;
export type Chooser = (typeof CHOOSERS)[number];

/** Writes best.json: which checkpoint to use. */
export async function writeBest(
  run: string,
  { lambda, form, step, reward }: Chosen,
  chosenBy: Chooser = "reward",
): Promise<void> {
  const own = { lambda, form, step, reward, checkpoint: checkpointOf(step) };
  await writeJson(join(run, BEST_FILE), chosenBy === "reward" ? own : { ...own, chosenBy });
}

/** The path of a step's checkpoint in the run's folder; the starting model has none. */
export function checkpointOf(step: number): string | null {
  return step === 0 ? null : checkpointPath(step);
}

/** `step` and `checkpoint` say the same: a file in which they differ is damaged. Files by hand may name a checkpoint alone. */
const bestSchema = z
  .object({
    lambda: share.optional(),
    form: z.enum(REWARD_FORMS).optional(),
    step: stepNumber.optional(),
    reward: z.number().optional().catch(undefined),
    chosenBy: z.enum(CHOOSERS).optional(),
    checkpoint: z
      .string()
      .regex(new RegExp(`^${CHECKPOINTS}/\\d{6,}$`))
      .nullable(),
  })
  .refine(({ step, checkpoint }) => step === undefined || checkpointOf(step) === checkpoint);

/**
 * The folder of the checkpoint that best.json names; undefined for the starting model.
 * @throws UsageError when the run has not been validated, or the file or the checkpoint is damaged or gone
 */
export async function readBest(run: string): Promise<string | undefined> {
  const path = join(run, BEST_FILE);
  if (!(await exists(path))) {
    const isValidated = (await readEvents(run)).some(({ type }) => type === "validation");
    throw new UsageError(
      isValidated
        ? `${path}: no such file; rpo select ${run} writes it again`
        : `${run}: the run has not been validated yet; continue it with rpo train --resume --output ${run}`,
    );
  }
  const value = await readJson(path, UsageError).catch((error: unknown) => {
    throw new UsageError(`${(error as Error).message}; rpo select ${run} writes it again`, { cause: error });
  });
  const parsed = bestSchema.safeParse(value);
  if (!parsed.success)
    throw new UsageError(`${path}: expected {"checkpoint": folder or null}; rpo select ${run} writes it again`);
  const { checkpoint } = parsed.data;
  if (checkpoint === null) return undefined;
  if (!(await exists(join(run, checkpoint))))
    throw new UsageError(`${path}: its checkpoint ${checkpoint} is gone; rpo select ${run} chooses again`);
  return join(run, checkpoint);
}

/** What best.json says; undefined where it is not there, or damaged. */
async function contentOfBest(run: string): Promise<z.output<typeof bestSchema> | undefined> {
  return bestSchema.safeParse(await readJson(join(run, BEST_FILE)).catch(() => undefined)).data;
}

/** A choice as best.json has it; files by hand may leave out all but the checkpoint. */
export interface WrittenChoice extends Partial<Chosen> {
  readonly step: number;
  readonly chosenBy: Chooser;
}

/** The choice that best.json says; undefined where it is not there, or damaged. */
export async function writtenChoice(run: string): Promise<WrittenChoice | undefined> {
  const content = await contentOfBest(run);
  if (content === undefined) return undefined;
  const { checkpoint, lambda, form, reward, chosenBy = "reward" } = content;
  const step = content.step ?? Number(checkpoint?.slice(CHECKPOINTS.length + 1) ?? 0);
  return {
    step,
    ...(lambda !== undefined && { lambda }),
    ...(form !== undefined && { form }),
    ...(reward !== undefined && { reward }),
    chosenBy,
  };
}

/** Whether best.json is there and says something. */
export async function hasBest(run: string): Promise<boolean> {
  return (await contentOfBest(run)) !== undefined;
}
