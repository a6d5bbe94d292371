import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { parseJson } from "../system/json.ts";

/**
 * A folder's `scheduler_config.json`. Which keys count, and what an absent key means, depends on the scheduler class that
 * will use it, so the values stay as they are until {@link optionsFor} reads them for one class.
 */
export interface SchedulerConfig {
  /** The file, for error messages. */
  readonly where: string;
  /** The class that the folder was saved with, such as "PNDMScheduler"; "" where nothing names one. */
  readonly className: string;
  /** What the file says, under the file's own keys. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Corrections of values that the file leaves out: they hold for the folder's own class alone. */
  readonly ownValues: Readonly<Record<string, unknown>>;
}

/**
 * Parses the text of a `scheduler_config.json`. Keys listed in `_use_default_values` count as absent, as in diffusers'
 * `ConfigMixin.extract_init_dict`; Python's `Infinity` is understood (DPMSolverMultistepScheduler saves `-Infinity`).
 *
 * @param className the class that `model_index.json` names; without it the file's `_class_name`.
 * @throws ModelError when the text is not a JSON object.
 */
export function parseSchedulerConfig(text: string, where: string, className?: string): SchedulerConfig {
  const parsed = jsonObject.safeParse(parseText(text, where));
  if (!parsed.success) throw new ModelError(`${where}: expected a JSON object with a scheduler's settings`);
  const { _class_name, _use_default_values, ...rest } = parsed.data;
  const absent = new Set(_use_default_values);
  const values = Object.fromEntries(Object.entries(rest).filter(([key]) => !absent.has(key)));
  return { where, className: className ?? _class_name, values, ownValues: {} };
}

/**
 * What diffusers' StableDiffusionPipeline (not the SDXL one) corrects in outdated configs as it loads a folder: `steps_offset`
 * becomes 1 and `clip_sample` false. Where the file leaves such a key out only the folder's own scheduler is corrected: one
 * made from its config for another sampler takes that class's default.
 */
export function correctOutdatedConfig(config: SchedulerConfig): SchedulerConfig {
  const values = { ...config.values };
  if ("steps_offset" in values) values["steps_offset"] = 1;
  if (values["clip_sample"] === true) values["clip_sample"] = false;
  return { ...config, values, ownValues: { steps_offset: 1, clip_sample: false } };
}

/**
 * The options of one scheduler class: the file's values, and the schema's defaults for keys that the file lacks. Keys of other
 * classes mean nothing to this one and are passed over, as in diffusers' `from_config`.
 *
 * @throws ModelError naming the key, what was expected and what came, for values that are wrong or not supported.
 */
export function optionsFor<Schema extends z.ZodType>(
  config: SchedulerConfig,
  schema: Schema,
  className: string,
): z.output<Schema> {
  const parsed = schema.safeParse(config.values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 4).map((issue) => {
    const key = issue.path.join(".");
    const value = issue.path.reduce<unknown>(memberOf, config.values);
    return `${key === "" ? "" : `${key} is ${JSON.stringify(value) ?? "absent"}: `}${issue.message}`;
  });
  throw new ModelError(`${config.where}: ${problems.join("; ")} (for ${className})`);
}

/** A boolean; Python code takes null for false. */
export const flag = (byDefault: boolean) =>
  z
    .boolean()
    .nullable()
    .transform((value) => value ?? false)
    .default(byDefault);

/** A switch that would change the result and that only works when off. */
export const unsupportedFlag = () => flag(false).refine((value) => !value, "not supported, expected false");

export const timestepSpacing = z.enum(["leading", "trailing", "linspace"]);
export type TimestepSpacing = z.infer<typeof timestepSpacing>;

/** What the model's output means: the noise, the velocity sqrt(a) noise - sqrt(1 - a) clean, or the clean sample. */
export const predictionType = z.enum(["epsilon", "v_prediction", "sample"]);
export type PredictionType = z.infer<typeof predictionType>;

const beta = z.number().gt(0).lt(1);

/** A hundred times as many as any model was trained with. */
const MOST_TIMESTEPS = 100_000;

/** The keys that every scheduler shares, with diffusers' defaults. */
export const betaOptions = z.object({
  num_train_timesteps: z.int().min(2).max(MOST_TIMESTEPS).default(1000),
  beta_start: beta.default(0.0001),
  beta_end: beta.default(0.02),
  beta_schedule: z.enum(["linear", "scaled_linear", "squaredcos_cap_v2"]).default("linear"),
  // counted before each of them is looked at
  trained_betas: z
    .array(z.unknown())
    .max(MOST_TIMESTEPS)
    .pipe(z.array(z.number().gt(0).lte(1)).nonempty())
    .nullable()
    .default(null),
});
export type BetaOptions = z.infer<typeof betaOptions>;

/** 0 or 1 in all published files. */
export const stepsOffset = z.int().min(0).max(100).default(0);

/** Dynamic thresholding of the predicted clean sample: DDIM and DPM-Solver++ have it. */
export const thresholdingOptions = z.object({
  thresholding: flag(false),
  dynamic_thresholding_ratio: z.number().min(0).max(1).default(0.995),
  sample_max_value: z.number().positive().default(1),
});
export type ThresholdingOptions = z.infer<typeof thresholdingOptions>;

/** Noise levels other than those of the timesteps: Euler and DPM-Solver++ have them. */
export const sigmaOptions = z.object({
  use_karras_sigmas: flag(false),
  use_exponential_sigmas: flag(false),
  use_beta_sigmas: unsupportedFlag(),
  sigma_min: z.number().positive().nullable().default(null),
  sigma_max: z.number().positive().nullable().default(null),
  final_sigmas_type: z.enum(["zero", "sigma_min"]).default("zero"),
});
export type SigmaOptions = z.infer<typeof sigmaOptions>;

const jsonObject = z.looseObject({
  _class_name: z.string().default(""),
  _use_default_values: z.array(z.string()).default([]),
});

function parseText(text: string, where: string): unknown {
  // Strings match first and stay; outside them Python's Infinity becomes a number that overflows to it.
  const standard = text.replace(/"(?:[^"\\]|\\.)*"|\bInfinity\b/g, (match) => (match === "Infinity" ? "1e999" : match));
  try {
    return parseJson(standard);
  } catch (error) {
    throw new ModelError(`${where}: not JSON: ${reasonOf(error)}`);
  }
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
}
