import { between, whole } from "../../settings/kinds.ts";
import type { SettingsTable } from "../../settings/setting.ts";

/** What DreamBooth has settings of, besides those of every training. */
export const DREAMBOOTH = {
  /** As diffusers' script has it. */
  classPictures: {
    ...whole([1, 1000]),
    default: 100,
    takes: "<n>",
    group: "Prior",
    help: "pictures of the class that the starting model draws",
    row: { label: "class pictures" },
  },
  priorWeight: {
    ...between(0, 1000),
    default: 1,
    takes: "<x>",
    group: "Prior",
    help: "how much the loss on them counts; 0 trains on the photos alone",
    row: { label: "weight" },
  },
} as const satisfies SettingsTable;
