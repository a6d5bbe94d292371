import * as METHODS from "../methods/index.ts";
import { CONFIG, JSON_LINES } from "./common.ts";
import { JUDGING } from "./judging.ts";
import { oneOf, yesOrNo } from "./kinds.ts";
import { LEARNING } from "./learning.ts";
import type { MethodEntry } from "./method-entry.ts";
import type { Setting, SettingsTable } from "./setting.ts";

/**
 * Every setting of a training: those of all methods, and each method's own. One that is added to them is a flag, a key of config files and
 * of a run's config.json, and a row of its report.
 */

/** What every training has, whatever its method. */
type Common = typeof LEARNING & typeof JUDGING;

type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
/** Each of them in the table says which method it is of. */
type Own = Intersection<(typeof METHODS)[keyof typeof METHODS]["settings"]>;

/** What says what trains is of the methods that do not say so themselves. */
const ADAPTING = Object.entries<MethodEntry>(METHODS).flatMap(([name, { trains }]) => (trains ? [] : [name]));
const ofAdapters: Record<string, Setting> = {};
for (const key of ["adapter", "rank", "loraAlpha", "targets", "trainTextEncoder", "textEncoderLearningRate"] as const)
  ofAdapters[key] = { ...LEARNING[key], methods: ADAPTING, isShared: true };

const own: Record<string, Setting> = {};
for (const [method, { settings }] of Object.entries(METHODS))
  for (const [key, each] of Object.entries<Setting>(settings))
    own[key] = { ...each, methods: [...(own[key]?.methods ?? []), method] };

/** Of every method. */
export const TRAIN = { ...LEARNING, ...ofAdapters, ...own, ...JUDGING } as Common & Own;

/** Flags of `rpo train` that say nothing of the training itself. */
export const TRAIN_COMMAND = {
  ...CONFIG,
  resume: { ...yesOrNo, default: false, help: "continue the run in --output" },
  dryRun: {
    ...yesOrNo,
    default: false,
    help: "load and check everything, measure a step, and say in groups what would be done and what it costs, without training",
  },
  log: {
    ...oneOf(["tensorboard"]),
    absent: "none",
    takes: "<kind>",
    defaultText: "",
    help: "tensorboard: also write event files into the run's folder, for tensorboard --logdir",
  },
  yes: { ...yesOrNo, default: false, help: "do not ask before long work" },
  ...JSON_LINES,
} as const satisfies SettingsTable;
