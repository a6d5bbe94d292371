import { availableParallelism } from "node:os";
import { z } from "zod";
import { DEVICES, PRECISIONS } from "../runtime/device.ts";
import { PREDICTIONS } from "../checkpoints/prediction.ts";
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
    given: z.enum(["auto", ...DEVICES], `expected auto, ${DEVICES.join(", ")}`),
    // runs of before they said it
    stored: z.enum(DEVICES).default("cpu"),
    absent: "found",
    isUsers: true,
    inBench: "flag",
    takes: "<name>",
    defaultText: "auto: a GPU that works and is faster, else cpu",
    group: "Machine",
    help: "cpu, cuda for an NVIDIA GPU (rpo gpu install), webgpu for any GPU, or openvino for the processor by OpenVINO",
  },
  precision: {
    given: z.enum(PRECISIONS, `expected ${PRECISIONS.join(", ")}`),
    // runs of before it was there
    stored: z.enum(PRECISIONS).default("float32"),
    absent: "found",
    isUsers: true,
    inBench: "flag",
    takes: "<kind>",
    defaultText: "tf32 with cuda, else float32",
    group: "Machine",
    help: "float32; tf32 for products on NVIDIA's tensor cores, bfloat16 with openvino; float16 to hold the weights under a LoRA in half precision, mixed-float16 to compute in it too, as autocast does",
  },
} as const satisfies SettingsTable;

const OF_ENCODERS = ["float32", "tf32", "bfloat16"] as const;

/** Of what has no U-Net. */
export const ENCODERS_MACHINE = {
  ...MACHINE,
  precision: {
    ...MACHINE.precision,
    given: z.enum(
      OF_ENCODERS,
      `expected ${OF_ENCODERS.slice(0, -1).join(", ")} or ${OF_ENCODERS[OF_ENCODERS.length - 1]}`,
    ),
    help: "of products: float32, tf32 for NVIDIA's tensor cores, or bfloat16 with openvino",
  },
} as const satisfies SettingsTable;

/** Where a training is made whose request was written by a program that did not choose. */
export const PROCESSOR = { device: "cpu", precision: "float32" } as const;

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

/** What of a checkpoint is otherwise than it says itself. */
export const CHECKPOINT = {
  vae: {
    ...text,
    absent: "none",
    isUsers: true,
    isPlace: true,
    inBench: "decided",
    defaultText: "the model's",
    takes: "<model>",
    group: "Model",
    help: `another VAE: a folder, one .safetensors file or ${HUB}`,
    row: { label: "VAE" },
  },
  prediction: {
    ...oneOf(PREDICTIONS),
    absent: "none",
    isUsers: true,
    inBench: "decided",
    defaultText: "as the model says",
    takes: "<kind>",
    group: "Model",
    help: "what the model's output means: epsilon, v, or v-zsnr for v on a schedule of zero terminal SNR",
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
