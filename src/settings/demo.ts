import { CONFIG, JSON_LINES } from "./common.ts";
import { oneOf, text, yesOrNo } from "./kinds.ts";
import { pick, type SettingsTable } from "./setting.ts";
import { SURROUNDINGS } from "./surroundings.ts";
import { TRAIN } from "./train.ts";

/** The demo's own settings. */
export const DEMO = {
  subject: { ...text, default: "backpack", takes: "<name>", help: "one of --list-subjects" },
  surroundings: {
    ...oneOf(SURROUNDINGS),
    default: "home",
    takes: "<where>",
    help: "of its photos: all in one room (home), on one lawn (garden), or each somewhere else (mixed)",
  },
  output: {
    ...text,
    absent: "none",
    takes: "<folder>",
    defaultText: "runs/demo",
    help: "the run's folder; one that was interrupted goes on",
  },
} as const satisfies SettingsTable;

/** Settings of its trainings that are flags too. */
export const DEMO_TRAINING = {
  ...pick(TRAIN, "model", "reward", "seed", "threads", "device", "precision"),
  steps: { ...TRAIN.steps, defaultText: "the model's, 240 for tiny" },
} as const satisfies SettingsTable;

/** Flags that say nothing of what is done. */
export const DEMO_COMMAND = {
  config: { ...CONFIG.config, help: "settings of the training as JSON, as for rpo train" },
  listSubjects: { ...yesOrNo, default: false, help: "what there is" },
  ...JSON_LINES,
} as const satisfies SettingsTable;
