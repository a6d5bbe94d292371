import { ENCODERS_MACHINE, HUB } from "./common.ts";
import { prose, text } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";
import { TRAIN } from "./train.ts";

const MAY_BE = { ...text, absent: "none", defaultText: "" } as const;

/** Every setting of `rpo evaluate`. */
export const EVALUATE = {
  references: {
    ...text,
    absent: "refused",
    isSingle: true,
    takes: "<folder>",
    group: "Subject",
    help: "the photos of the subject",
  },
  holdOut: {
    ...MAY_BE,
    takes: "<photo>",
    group: "Subject",
    help: "a photo that was not trained on: the only reference then",
  },
  class: { ...MAY_BE, ...prose, takes: "<word>", group: "Subject", help: "what {class} in the prompts stands for" },
  token: {
    ...TRAIN.token,
    help: "the identifier, which no judge sees",
  },
  images: {
    ...text,
    isSingle: true,
    absent: "refused",
    takes: "<folder>",
    group: "Pictures",
    help: "the pictures, with the prompts.json that rpo generate writes",
  },
  prompts: {
    ...MAY_BE,
    takes: "<file>",
    group: "Pictures",
    help: "the pictures' prompts: JSON by file, or a list by the number that file names begin with",
  },
  masks: {
    ...MAY_BE,
    takes: "<folder>",
    group: "Pictures",
    help: "masks named as their photos and pictures, white where the subject is",
  },
  judges: {
    ...MAY_BE,
    takes: "<folder>",
    group: "Judges",
    help: "holds the judges as folders named dino, clip, align; tiny: the embedded ones",
  },
  dino: {
    ...MAY_BE,
    takes: "<model>",
    group: "Judges",
    help: `a ViT: a transformers folder, or ${HUB} such as facebook/dino-vits16`,
  },
  clip: {
    ...MAY_BE,
    takes: "<model>",
    group: "Judges",
    help: "a CLIP model, likewise, such as openai/clip-vit-base-patch16",
  },
  align: {
    ...MAY_BE,
    takes: "<model>",
    group: "Judges",
    help: "an ALIGN model, likewise, such as kakaobrain/align-base",
  },
  output: { ...MAY_BE, takes: "<folder>", help: "also write evaluation.json and evaluation.csv there" },
  ...ENCODERS_MACHINE,
} as const satisfies SettingsTable;
