import { HUB } from "./common.ts";
import { text } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** The CLIP that reads photos, of trainings that learn from what it says of them and of drawing with what they learnt. */
export const PHOTO_ENCODER = {
  /** Absent: the embedded model's own, or a drawing's run's. */
  imageEncoder: {
    ...text,
    absent: "none",
    isUsers: true,
    isPlace: true,
    takes: "<model>",
    defaultText: "tiny with --model tiny",
    group: "Model",
    help: `the CLIP that reads the photos, whose features are as wide as the model's texts: a transformers folder, ${HUB} such as openai/clip-vit-large-patch14 for Stable Diffusion 1.x, or tiny`,
    row: { label: "photos read by" },
  },
} as const satisfies SettingsTable;
