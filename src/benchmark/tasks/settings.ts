import { z } from "zod";
import { DEVICES, PRECISIONS } from "../../runtime/device.ts";
import { DRAWING } from "../../settings/generate.ts";
import { JUDGING } from "../../settings/judging.ts";
import { configSchema } from "../../runs/config.ts";
import type { TrainRequest } from "../../settings/train-settings.ts";
import type { EvaluateSettings } from "../../commands/evaluate/run.ts";
import type { GenerateSettings } from "../../commands/generate/settings.ts";
import type { PhotosSettings } from "../../commands/evaluate/photos.ts";

/** The settings of each kind of work: what a benchmark decides, and nothing else. The machine decides threads and where it works. */

const path = z.string().min(1);
/** Absent: the processor. */
const machine = { device: z.enum(DEVICES).optional(), precision: z.enum(PRECISIONS).optional() };
const judges = z.strictObject({ dino: path.optional(), clip: path.optional(), align: path.optional() });

export const TASK_SETTINGS = {
  /** One training run, to its last step. */
  train: configSchema
    .omit({ output: true, threads: true, versions: true, hashes: true })
    .partial({ learningRate: true, resolution: true }) satisfies z.ZodType<Omit<TrainRequest, "output" | "threads">>,
  /** All pictures of one checkpoint of one subject. */
  draw: z.strictObject({
    prompts: z.array(z.string()).min(1),
    count: JUDGING.validationImages.stored,
    seed: DRAWING.seed.stored,
    sampler: DRAWING.sampler.stored,
    steps: DRAWING.steps.stored,
    guidance: DRAWING.guidance.stored,
    height: DRAWING.height.stored.optional(),
    width: DRAWING.width.stored.optional(),
    ...machine,
    model: path,
    variant: z.string().optional(),
    /** One of the benchmark's checkpoints; absent: the model before training. */
    adapter: path.optional(),
  }) satisfies z.ZodType<Partial<GenerateSettings>>,
  /** The metrics of those pictures. */
  score: z.strictObject({
    references: path,
    images: path,
    token: z.string(),
    class: z.string(),
    judges,
    ...machine,
  }) satisfies z.ZodType<Partial<EvaluateSettings>>,
  /** The metrics of the photos. */
  photos: z.strictObject({ references: path, judges, ...machine }) satisfies z.ZodType<Omit<PhotosSettings, "threads">>,
} as const;

export type TaskKind = keyof typeof TASK_SETTINGS;
export type SettingsOf<K extends TaskKind> = z.output<(typeof TASK_SETTINGS)[K]>;
export const TASK_KINDS = Object.keys(TASK_SETTINGS) as TaskKind[];
