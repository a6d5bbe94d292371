import { samplerNames } from "../diffusion/create.ts";
import { CHECKPOINT, HUB, MACHINE, VARIANT } from "./common.ts";
import { anyProse, between, oneOf, prose, several, text, whole, yesOrNo } from "./kinds.ts";
import { MOST_GUIDANCE, WHOLE } from "./limits.ts";
import { PHOTO_ENCODER } from "./photo-encoder.ts";
import type { SettingsTable } from "./setting.ts";

/** Every setting of `rpo generate`, and of a pipeline of the library. */

const SIDE = {
  ...whole(WHOLE.resolution),
  absent: "none",
  takes: "<pixels>",
  defaultText: "the model's",
  group: "Pictures",
} as const;

/** Pictures of one prompt. */
export const MOST_PICTURES = [1, 10_000] as const;

const WEIGHT = { ...between(-10, 10), absent: "none", takes: "<x>", defaultText: "1", group: "Photo" } as const;

/** Drawing with what DisenBooth learnt of a photo. */
const PHOTO = {
  photo: {
    ...text,
    isSingle: true,
    absent: "none",
    takes: "<file>",
    defaultText: "",
    group: "Photo",
    help: "with an adapter of disenbooth: draws with this photo's surroundings and pose, beside the prompt",
  },
  photoWeight: { ...WEIGHT, help: "how much the photo counts" },
  textWeight: { ...WEIGHT, help: "how much the prompt counts beside the photo; 0 draws by the photo alone" },
  imageEncoder: {
    ...PHOTO_ENCODER.imageEncoder,
    defaultText: "the run's; tiny with --model tiny",
    group: "Photo",
    help: `the CLIP that reads the photo: a transformers folder, ${HUB}, or tiny`,
  },
} as const satisfies SettingsTable;

/** What to draw with. */
export const SOURCE = {
  model: {
    ...text,
    absent: "none",
    takes: "<model>",
    defaultText: "the run's, or tiny",
    group: "Model",
    help: `a diffusers folder, one .safetensors file, ${HUB}, sd15, sd21, sdxl, or tiny`,
  },
  ...VARIANT,
  ...CHECKPOINT,
  adapter: {
    ...text,
    isSingle: true,
    absent: "none",
    takes: "<path>",
    defaultText: "",
    group: "Model",
    help: "a run's folder, a LoRA's file or folder, a fine-tuned U-Net's or a trained word's folder",
  },
  ...PHOTO,
} as const satisfies SettingsTable;

/** How pictures are drawn. */
export const DRAWING = {
  sampler: {
    ...oneOf(samplerNames),
    default: "dpm",
    takes: "<name>",
    group: "Pictures",
    help: "ddim, pndm, dpm, euler, or checkpoint for the folder's own",
  },
  steps: { ...whole(WHOLE.validationSteps), default: 20, takes: "<n>", group: "Pictures", help: "the sampler's" },
  guidance: {
    ...between(0, MOST_GUIDANCE),
    absent: "none",
    takes: "<x>",
    defaultText: "the run's, else the model's: 7.5, tiny 4",
    group: "Pictures",
    help: "1 or less is none",
  },
  negative: {
    ...anyProse,
    isSingle: true,
    absent: "none",
    takes: "<text>",
    defaultText: "",
    group: "Pictures",
    help: "what to steer away from",
  },
  promptWeights: {
    ...yesOrNo,
    default: false,
    group: "Pictures",
    help: "reads (word:1.4), (word) and [word] in prompts as weights, as A1111's web UI does, and BREAK",
  },
  seed: {
    ...whole(WHOLE.seed),
    default: 0,
    takes: "<n>",
    group: "Pictures",
    help: "of the first picture; the next ones count up",
  },
  height: { ...SIDE, help: "of a picture" },
  width: { ...SIDE, help: "of a picture" },
} as const satisfies SettingsTable;

export const GENERATE = {
  ...SOURCE,
  lora: {
    ...several(text),
    default: [],
    defaultText: "",
    isRepeated: true,
    takes: "<file:weight>",
    group: "Model",
    help: "a LoRA of any program's, a DoRA, LoHa or LoKr, and how much of it (:weight may be left out: 1); may be given several times",
  },
  embedding: {
    ...several(text),
    default: [],
    defaultText: "",
    isRepeated: true,
    takes: "<file:word>",
    group: "Model",
    help: "a textual inversion, and its word in prompts (:word may be left out: what the file says, else its name); may be given several times",
  },
  from: {
    ...text,
    isSingle: true,
    absent: "none",
    takes: "<picture>",
    defaultText: "",
    group: "Pictures",
    help: "draws a picture of rpo generate's again, as it says itself, or one of A1111's web UI with its settings; other flags win",
  },
  prompt: {
    ...several(prose),
    absent: "refused",
    isRepeated: true,
    takes: "<text>",
    group: "Pictures",
    help: "may be given several times",
  },
  number: {
    ...whole(MOST_PICTURES),
    short: "-n",
    default: 4,
    takes: "<n>",
    group: "Pictures",
    help: "pictures for each prompt",
  },
  ...DRAWING,
  parameters: {
    ...yesOrNo,
    default: true,
    group: "Pictures",
    help: "leave out of the pictures and prompts.json what they were drawn with",
  },
  output: { ...text, absent: "refused", takes: "<folder>", group: "Pictures", help: "where the pictures go" },
  ...MACHINE,
} as const satisfies SettingsTable;
