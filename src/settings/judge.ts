import { HUB } from "./common.ts";
import { oneOf, several, text, yesOrNo } from "./kinds.ts";
import { pick, type SettingsTable } from "./setting.ts";
import { TRAIN } from "./train.ts";

const { images, holdOut, crop, ...SUBJECT } = pick(
  TRAIN,
  "images",
  "class",
  "token",
  "subject",
  "holdOut",
  "crop",
  "prompts",
);

/** Every setting of `rpo judge`: what is judged, and as a training's what it is judged by. */
export const JUDGE = {
  checkpoints: {
    ...several(text),
    default: [],
    defaultText: "",
    isRepeated: true,
    isUsers: true,
    takes: "<path>",
    group: "Checkpoints",
    help: 'files, folders, or paths with * and ? ("output/dog-*.safetensors") of one training, by any trainer: LoRA files of every kind, whole models, U-Nets; may be given several times',
  },
  samples: {
    ...text,
    absent: "none",
    isUsers: true,
    takes: "<folder>",
    defaultText: "",
    group: "Checkpoints",
    help: "score the pictures that the trainer drew there, instead of drawing",
  },
  images: { ...images, help: "the photos that were trained on" },
  ...SUBJECT,
  holdOut: { ...holdOut, help: "a photo that was not trained on, and is not judged by" },
  crop: {
    ...crop,
    ...oneOf(["center", "none"]),
    help: "how the photos are shown in the report: center cuts a square, none squeezes",
  },
  model: {
    ...TRAIN.model,
    help: `the model that was trained from: a diffusers folder, one .safetensors file, ${HUB}, sd15, sd21, sdxl, or tiny`,
  },
  ...pick(
    TRAIN,
    "variant",
    "reward",
    "resolution",
    "lambda",
    "rewardForm",
    "validationImages",
    "sampler",
    "validationSteps",
    "guidance",
  ),
  seed: { ...TRAIN.seed, group: "Validation", help: "of the pictures' noises" },
  ...pick(TRAIN, "threads", "device", "precision"),
  output: { ...TRAIN.output, defaultText: "runs/<class>-<training>-judged" },
} as const satisfies SettingsTable;

/** Flags of `rpo judge` that say nothing of what is judged. */
export const JUDGE_COMMAND = {
  watch: { ...yesOrNo, default: false, help: "go on looking for new files until Ctrl-C, beside a training" },
} as const satisfies SettingsTable;
