import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { z } from "zod";
import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import { samplerNames } from "../diffusion/create.ts";
import { MOST_GUIDANCE, WHOLE, type Limits } from "../settings/limits.ts";
import { TRAIN_DEFAULTS, type TrainRequest } from "../settings/train-settings.ts";
import { DEVICES } from "../runtime/device.ts";
import { UsageError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { isRecord, parseJson } from "../system/json.ts";
import { readText } from "../system/regular-files.ts";
import { defaultReward, modelFolder } from "./models/names.ts";

/** Decimal, with or without an exponent. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Numbers come as text from flags and as numbers from a config file. */
function numeric(description: string, accepts: (x: number) => boolean) {
  return z
    .union([z.number(), z.string().transform((text) => (NUMBER.test(text) ? Number(text) : NaN))])
    .refine(accepts, `expected ${description}`);
}

const integer = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  numeric(
    most === Number.MAX_SAFE_INTEGER ? `an integer of ${least} or more` : `an integer from ${least} to ${most}`,
    (x) => Number.isSafeInteger(x) && x >= least && x <= most,
  );
const whole = ([least, most]: Limits) => integer(least, most);
const above = (limit: number) => numeric(`a number above ${limit}`, (x) => Number.isFinite(x) && x > limit);
const guidance = numeric(`a number from 0 to ${MOST_GUIDANCE}`, (x) => x >= 0 && x <= MOST_GUIDANCE);
const share = numeric("a number from 0 to 1", (x) => x >= 0 && x <= 1);
const text = z.string("expected text").trim().min(1, "expected a word or more, not nothing");

/** "fp16" */
const variantField = text.regex(/^[\w-]+$/, "expected a word such as fp16");

/** Shared by commands. */
export const fields = {
  variant: variantField,
  integer,
  number: numeric("a number", Number.isFinite),
  above,
  guidance,
  share,
  text,
  sampler: z.enum(samplerNames, `expected ${samplerNames.slice(0, -1).join(", ")} or ${samplerNames.at(-1)}`),
  threads: whole(WHOLE.threads).default(availableParallelism()),
  device: z.enum(DEVICES, `expected ${DEVICES.join(" or ")}`).default(TRAIN_DEFAULTS.device),
};

/** Every setting of a training, for flags, config files and the library alike. */
const trainSchema = z.strictObject({
  model: text.default(EMBEDDED_MODEL),
  variant: variantField.optional(),
  reward: text.optional(),
  images: text,
  class: text,
  token: text.default(TRAIN_DEFAULTS.token),
  output: text.optional(),
  adapter: z.enum(["lora", "full"], "expected lora or full").default(TRAIN_DEFAULTS.adapter),
  rank: whole(WHOLE.rank).default(TRAIN_DEFAULTS.rank),
  loraAlpha: above(0).default(TRAIN_DEFAULTS.loraAlpha),
  targets: z.enum(["attention", "attention+ff"], "expected attention or attention+ff").default(TRAIN_DEFAULTS.targets),
  lr: above(0).optional(),
  steps: whole(WHOLE.steps).default(TRAIN_DEFAULTS.steps),
  resolution: whole(WHOLE.resolution).optional(),
  crop: z.enum(["center", "none"], "expected center or none").default(TRAIN_DEFAULTS.crop),
  beta: above(0).default(TRAIN_DEFAULTS.beta),
  condition: z.enum(["modifier", "prompt"], "expected modifier or prompt").default(TRAIN_DEFAULTS.condition),
  labels: z.enum(["sampled", "soft"], "expected sampled or soft").default(TRAIN_DEFAULTS.labels),
  rewardScale: above(0).default(TRAIN_DEFAULTS.rewardScale),
  negatives: whole(WHOLE.negatives).default(TRAIN_DEFAULTS.negatives),
  lambda: share.default(TRAIN_DEFAULTS.lambda),
  validateEvery: whole(WHOLE.validateEvery).default(TRAIN_DEFAULTS.validateEvery),
  validationImages: whole(WHOLE.validationImages).default(TRAIN_DEFAULTS.validationImages),
  validationSteps: whole(WHOLE.validationSteps).default(TRAIN_DEFAULTS.validationSteps),
  sampler: fields.sampler.default(TRAIN_DEFAULTS.sampler),
  guidance: guidance.default(TRAIN_DEFAULTS.guidance),
  patience: whole(WHOLE.patience).default(TRAIN_DEFAULTS.patience),
  preference: z.boolean("expected true or false").default(TRAIN_DEFAULTS.preference),
  earlyStopping: z.boolean("expected true or false").default(TRAIN_DEFAULTS.earlyStopping),
  prompts: text.optional(),
  holdOut: text.optional(),
  memory: z.enum(["normal", "low"], "expected normal or low").default(TRAIN_DEFAULTS.memory),
  threads: fields.threads,
  seed: whole(WHOLE.seed).default(TRAIN_DEFAULTS.seed),
  device: fields.device,
});

/** The names of a training's settings. */
export type TrainSettingName = keyof z.input<typeof trainSchema>;

export type GivenSettings = Readonly<Record<string, unknown>>;

/** Where settings come from: each wins over the next, and all over the defaults. */
export interface SettingsSources {
  readonly flags: GivenSettings;
  /** Of --config. */
  readonly config?: GivenSettings;
  /** Of the model's folder. */
  readonly model?: GivenSettings;
}

/** Every setting of a run, checked; paths absolute, for a run outlives the folder it was started from. @throws UsageError naming the first that is wrong */
export function parseTrain({
  flags,
  config = {},
  model = {},
}: SettingsSources): Omit<TrainRequest, "output"> & { output: string | undefined } {
  const nameOf = (key: string) =>
    key in flags ? flagName(key) : key in config ? `--config: ${key}` : `the model's rpo.json: ${key}`;
  const { lr, output, prompts, reward, ...rest } = parseSettings(
    trainSchema,
    { ...model, ...config, ...flags },
    nameOf,
  );
  return {
    ...rest,
    model: modelFolder("--model", rest.model),
    reward: modelFolder("--reward", reward ?? defaultReward(rest.model)),
    images: resolve(rest.images),
    prompts: prompts === undefined ? undefined : resolve(prompts),
    output,
    ...(lr !== undefined && { learningRate: lr }),
  };
}

/** @param nameOf what to call a setting in a message */
export function parseSettings<S extends z.ZodType>(
  schema: S,
  given: GivenSettings,
  nameOf: (key: string) => string = flagName,
): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue.code === "unrecognized_keys")
    throw new UsageError(`${nameOf(issue.keys[0])}: no such setting${suggestion(issue.keys[0], schema)}`);
  const key = String(issue.path[0]);
  if (!(key in given)) throw new UsageError(`${flagName(key)} is missing`);
  const message = issue.code === "invalid_union" ? "expected a number" : issue.message;
  const value = issue.path.slice(1).reduce<unknown>((inner, at) => (inner as GivenSettings)[String(at)], given[key]);
  throw new UsageError(`${nameOf(key)} ${JSON.stringify(value)}: ${message}`);
}

/** The settings of a JSON file. @throws UsageError when it is no JSON object */
export async function readConfigFile(path: string): Promise<GivenSettings> {
  const content = await readText(path).catch((error: unknown) => {
    throw new UsageError(`--config ${path}: ${reasonOf(error)}`);
  });
  try {
    const value: unknown = parseJson(content);
    if (isRecord(value)) return settingsOf(value);
  } catch (error) {
    throw new UsageError(`--config ${path}: not valid JSON: ${reasonOf(error)}`);
  }
  throw new UsageError(`--config ${path}: expected a JSON object of settings`);
}

/** What a run's config.json says besides its settings. */
const PROVENANCE = ["version", "versions", "hashes"];

/** Settings by the flags' names, of a run's config.json too, which has another one for the rate. */
function settingsOf(config: GivenSettings): GivenSettings {
  const { learningRate, ...settings } = Object.fromEntries(
    Object.entries(config).filter(([key]) => !PROVENANCE.includes(key)),
  );
  return learningRate === undefined ? settings : { lr: learningRate, ...settings };
}

/** loraAlpha -> --lora-alpha */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function suggestion(key: string, schema: z.ZodType): string {
  if (!(schema instanceof z.ZodObject)) return "";
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z]/g, "");
  const near = Object.keys(schema.shape).find(
    (name) => plain(name) === plain(key) || plain(name).startsWith(plain(key).slice(0, 4)),
  );
  return near === undefined ? "" : `; did you mean ${near}?`;
}
