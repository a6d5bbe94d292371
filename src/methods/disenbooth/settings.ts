import { PHOTO_ENCODER } from "../../settings/photo-encoder.ts";
import { above, between } from "../../settings/kinds.ts";
import type { SettingsTable } from "../../settings/setting.ts";

/** What DisenBooth has settings of, besides those of every training. */
export const DISENBOOTH = {
  ...PHOTO_ENCODER,
  /** As the authors have it. */
  weakWeight: {
    ...between(0, 1000),
    default: 0.01,
    takes: "<x>",
    group: "Disentangling",
    help: "weight of the photo's loss by the text alone, without what the image adapter makes of the photo (L_weak)",
    row: { label: "weight of the text alone" },
  },
  /** As the authors have it. */
  contrastWeight: {
    ...between(0, 1000),
    default: 0.001,
    takes: "<x>",
    group: "Disentangling",
    help: "weight of the likeness between the text and what the image adapter makes of the photo, which is made small",
    row: { label: "weight of likeness" },
  },
  /** Absent: the LoRA's. */
  imageAdapterLearningRate: {
    ...above(0),
    name: "imageAdapterLr",
    absent: "none",
    takes: "<x>",
    defaultText: "as --lr",
    group: "Disentangling",
    help: "learning rate of the image adapter",
  },
} as const satisfies SettingsTable;
