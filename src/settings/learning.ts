import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import * as METHODS from "../methods/index.ts";
import { CHECKPOINT, HUB, VARIANT } from "./common.ts";
import { above, between, identifier, oneOf, prose, text, whole, word } from "./kinds.ts";
import { WHOLE } from "./limits.ts";
import type { MethodEntry } from "./method-entry.ts";
import { OPTIMIZER, OPTIMIZERS, PRODIGY_LEARNING_RATE } from "./optimizer.ts";
import { PHOTO_DATA, STEPPING } from "./own-data.ts";
import type { SettingsTable, Values } from "./setting.ts";
import { TEXT_LORA } from "./text-lora.ts";

/** Settings of every training: what is learnt, with which model, and how. */

export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as [MethodName, ...MethodName[]];

/** Diffusers folders: 5e-6 for all weights, 1e-4 for a LoRA. */
export const DEFAULT_LEARNING_RATE = { full: 5e-6, lora: 1e-4 } as const;

/** What is known of a method before any work. */
export function methodEntry(method: MethodName): MethodEntry {
  return METHODS[method];
}

/** The rate where none is asked for. */
export function defaultLearningRate({
  method,
  adapter,
  optimizer,
}: {
  readonly method: MethodName;
  readonly adapter: keyof typeof DEFAULT_LEARNING_RATE;
  readonly optimizer?: (typeof OPTIMIZERS)[number];
}): number {
  if (optimizer === "prodigy") return PRODIGY_LEARNING_RATE;
  return methodEntry(method).trains?.learningRate ?? DEFAULT_LEARNING_RATE[adapter];
}

const { lora, full } = DEFAULT_LEARNING_RATE;

const PRESETS_HELP = Object.entries<MethodEntry>(METHODS)
  .flatMap(([name, { presets = {} }]) => {
    const names = Object.keys(presets);
    return names.length === 0 ? [] : [`of ${name} ${names.join(", ")}`];
  })
  .join("; ");

/** Several subjects have a row of their own, which says what they are. */
const isOfOne = ({ concepts }: Values) => concepts === undefined;

export const LEARNING = {
  images: {
    ...text,
    absent: "refused",
    isUsers: true,
    isPlace: true,
    inBench: "decided",
    takes: "<folder>",
    group: "Subject",
    help: "the photos, 4 to 6 of them",
    row: { label: "photos", when: isOfOne },
  },
  class: {
    ...prose,
    absent: "refused",
    isUsers: true,
    inBench: "decided",
    takes: "<word>",
    group: "Subject",
    help: 'what the subject is, such as "dog"',
    row: { when: isOfOne },
  },
  /** Tokenized literally; the reward never sees it. */
  token: {
    ...identifier,
    default: "[V]",
    takes: "<text>",
    group: "Subject",
    help: "the identifier in the prompts",
    row: { when: isOfOne },
  },
  /** Absent: by the class word. */
  subject: {
    ...oneOf(["live", "object"]),
    absent: "none",
    isUsers: true,
    inBench: "decided",
    takes: "<kind>",
    defaultText: "by the class word",
    group: "Subject",
    help: "live or object: whether the default prompts have it wear outfits and swim",
    row: { label: "default prompts of" },
  },
  holdOut: {
    ...text,
    absent: "none",
    isUsers: true,
    inBench: "decided",
    takes: "<photo>",
    defaultText: "",
    group: "Subject",
    help: "one of the photos not to train on, to judge by afterwards (rpo evaluate --hold-out)",
    row: { label: "held out" },
  },
  crop: {
    ...oneOf(["center", "none", "bucket"]),
    default: "center",
    takes: "<how>",
    group: "Subject",
    help: "center cuts a square out of each photo, none squeezes it, bucket trains it in the shape of about its own aspect ratio",
  },
  ...PHOTO_DATA,
  /** A file; absent: the authors' eight for objects or live subjects. */
  prompts: {
    ...text,
    absent: "none",
    isUsers: true,
    isPlace: true,
    takes: "<file>",
    defaultText: "the model's, else the authors'",
    group: "Subject",
    help: "training and validation prompts of your own",
    row: { text: ({ prompts }) => prompts ?? "the authors' eight" },
  },
  /** A diffusers folder, or a file. */
  model: {
    ...text,
    default: EMBEDDED_MODEL,
    isRecorded: true,
    isUsers: true,
    isPlace: true,
    inBench: "flag",
    takes: "<model>",
    group: "Model",
    help: `Stable Diffusion 1.x, 2.x or XL: a diffusers folder, one .safetensors file, ${HUB}, sd15, sd21, sdxl, or tiny, the embedded miniature`,
  },
  ...VARIANT,
  ...CHECKPOINT,
  /** A transformers folder with an ALIGN model. */
  reward: {
    ...text,
    absent: "found",
    isUsers: true,
    isPlace: true,
    inBench: "flag",
    takes: "<model>",
    defaultText: "kakaobrain/align-base; tiny with --model tiny",
    group: "Model",
    help: `an ALIGN model: a transformers folder, ${HUB}, or tiny`,
  },
  /** Pictures' side in pixels. */
  resolution: {
    ...whole(WHOLE.resolution),
    absent: "model",
    takes: "<pixels>",
    defaultText: "the model's",
    group: "Model",
    help: "side of the pictures",
    row: { text: ({ resolution }) => `${resolution} px` },
  },
  method: {
    ...oneOf(METHOD_NAMES),
    default: "rpo",
    isUsers: true,
    inBench: "decided",
    takes: "<name>",
    group: "Training",
    help: Object.entries(METHODS)
      .map(([name, { about }]) => `${name}: ${about}`)
      .join("; "),
  },
  /** Settings that were published for the method, where nothing else says them. */
  preset: {
    ...word,
    absent: "none",
    isUsers: true,
    inBench: "decided",
    takes: "<name>",
    defaultText: "",
    group: "Training",
    help: `settings as published, where no flag or config file says another: ${PRESETS_HELP}`,
  },
  adapter: {
    ...oneOf(["lora", "full"]),
    default: "lora",
    inBench: "flag",
    takes: "<kind>",
    group: "Training",
    help: "lora, or full for all of the U-Net",
    row: {
      label: "trains",
      text: ({ adapter, targets, rank, loraAlpha }) =>
        adapter === "lora" ? `LoRA of ${targets}, rank ${rank}, alpha ${loraAlpha}` : "all of the U-Net",
    },
  },
  rank: { ...whole([1, 4096]), default: 16, takes: "<n>", group: "Training", help: "of the LoRA", row: false },
  loraAlpha: {
    ...above(0),
    default: 16,
    takes: "<x>",
    group: "Training",
    help: "the LoRA is scaled by alpha / rank",
    row: false,
  },
  /** Which linear layers of the U-Net a LoRA adapts: the attention's projections, or the feed-forward layers too. */
  targets: {
    ...oneOf(["attention", "attention+ff"]),
    default: "attention",
    takes: "<layers>",
    group: "Training",
    help: "attention, or attention+ff for the feed-forward layers too",
    row: false,
  },
  learningRate: {
    ...above(0),
    name: "lr",
    absent: "model",
    inBench: "flag",
    takes: "<x>",
    defaultText: `${lora.toExponential()} for a LoRA, ${full.toExponential()} for full; with Prodigy ${PRODIGY_LEARNING_RATE}`,
    group: "Training",
    help: "learning rate",
  },
  ...OPTIMIZER,
  ...TEXT_LORA,
  steps: {
    ...whole(WHOLE.steps),
    default: 400,
    inBench: "flag",
    takes: "<n>",
    group: "Training",
    help: "at most so many",
    row: { label: "steps at most" },
  },
  ...STEPPING,
  /** Offset noise: each channel's noise is moved by a normal number times this, so that pictures' brightness is learnt too. */
  noiseOffset: {
    ...between(0, 1),
    default: 0,
    takes: "<x>",
    group: "Training",
    help: "adds so much of one random number a channel to the noise, for pictures darker or brighter than most",
  },
  seed: {
    ...whole(WHOLE.seed),
    default: 0,
    inBench: "decided",
    takes: "<n>",
    group: "Training",
    help: "of all that is random",
  },
} as const satisfies SettingsTable;
