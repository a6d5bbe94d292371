import { availableParallelism } from "node:os";
import { DEVICES } from "../runtime/device.ts";
import { oneOf, text, whole, word, yesOrNo } from "./kinds.ts";
import { WHOLE } from "./limits.ts";
import type { SettingsTable } from "./setting.ts";

/** Settings that several commands have. */

/** What a model's name may be, besides a folder. */
export const HUB = "a name on the hub (owner/name[@revision])";

export const MACHINE = {
  threads: {
    ...whole(WHOLE.threads),
    default: availableParallelism(),
    defaultText: "one a core",
    isRecorded: true,
    isUsers: true,
    inBench: "decided",
    takes: "<n>",
    group: "Machine",
    help: "of the processor",
  },
  device: {
    ...oneOf(DEVICES),
    default: "cpu",
    isUsers: true,
    takes: "<name>",
    group: "Machine",
    help: "cpu, or webgpu for a GPU",
  },
} as const satisfies SettingsTable;

export const VARIANT = {
  variant: {
    ...word,
    absent: "none",
    defaultText: "the plain files",
    takes: "<name>",
    group: "Model",
    help: "of the model's weights, such as fp16",
  },
} as const satisfies SettingsTable;

/** For programs that read what a command says. */
export const JSON_LINES = {
  json: { ...yesOrNo, default: false, help: "machine-readable lines on stdout" },
} as const satisfies SettingsTable;

/** A file of settings. */
export const CONFIG = {
  config: {
    ...text,
    absent: "none",
    takes: "<file>",
    defaultText: "",
    help: "settings as JSON, named as in a run's config.json, see rpo schema; flags win",
  },
} as const satisfies SettingsTable;
