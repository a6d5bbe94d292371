import { between, oneOf, whole, yesOrNo, above } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Settings of what people bring with their photos, and of how steps are made of them. Each default is what the paper does. */

/** Beside the photos. */
export const PHOTO_DATA = {
  /** A text of each photo's own, in L_sim's prompt. */
  captions: {
    ...oneOf(["off", "auto", "on"]),
    default: "off",
    takes: "<use>",
    group: "Subject",
    help: "texts beside the photos (photo.txt), in the place of their prompt: off, auto for those that are there, or on, which wants one for each",
    row: { when: ({ captions }) => captions !== "off" },
  },
  flip: {
    ...yesOrNo,
    default: false,
    group: "Subject",
    help: "show every other photo mirrored, by chance",
    row: { when: ({ flip }) => flip === true },
  },
  maskedLoss: {
    ...yesOrNo,
    default: false,
    group: "Subject",
    help: "learn from where the photos' masks are white: photo.mask.png beside them, or their transparency",
    row: { when: ({ maskedLoss }) => maskedLoss === true },
  },
  maskOutside: {
    ...between(0, 1),
    default: 0,
    takes: "<x>",
    group: "Subject",
    help: "with masks: how much the rest of a photo counts",
    row: { when: ({ maskedLoss }) => maskedLoss === true },
  },
} as const satisfies SettingsTable;

/** Photos that a step learns from at most: more are a mistake. */
const MOST = 1024;

/** How a step is made. */
export const STEPPING = {
  batch: {
    ...whole([1, MOST]),
    default: 1,
    takes: "<n>",
    group: "Training",
    help: "photos that go through the model together in a step",
    row: { when: ({ batch }) => batch !== 1 },
  },
  accumulate: {
    ...whole([1, MOST]),
    default: 1,
    takes: "<n>",
    group: "Training",
    help: "so many times are the gradients of a batch added up before a step: as a batch so many times as large, in the memory of one",
    row: { when: ({ accumulate }) => accumulate !== 1 },
  },
  schedule: {
    ...oneOf(["constant", "cosine"]),
    default: "constant",
    takes: "<name>",
    group: "Training",
    help: "of the learning rate: constant, or cosine, down to 0 at the last step",
    row: { when: ({ schedule }) => schedule !== "constant" },
  },
  warmup: {
    ...whole([0, 1_000_000]),
    default: 0,
    takes: "<n>",
    group: "Training",
    help: "steps in which the learning rate rises from 0",
    row: { when: ({ warmup }) => warmup !== 0 },
  },
  /** Min-SNR, arXiv 2303.09556. */
  minSnr: {
    ...above(0),
    absent: "none",
    takes: "<gamma>",
    defaultText: "all timesteps alike",
    group: "Training",
    help: "weighs the photos' loss by min(SNR, gamma) / SNR, so that timesteps of little noise do not decide; 5 is usual",
    row: { label: "min-SNR" },
  },
} as const satisfies SettingsTable;
