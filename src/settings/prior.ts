import { between, whole } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Settings of the methods that go on learning the starting model's own pictures of the class: the same in all of them. */
export const PRIOR = {
  /** As diffusers' script of DreamBooth has it. */
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
