import { TRAIN } from "./train.ts";
import type { SettingsTable } from "./setting.ts";

const { given, stored, takes } = TRAIN.lambda;

/** Every setting of `rpo select`. */
export const SELECT = {
  lambda: {
    given,
    stored,
    takes,
    absent: "none",
    defaultText: "the run's own",
    help: "0 to 1: how much likeness counts against the prompt",
  },
} as const satisfies SettingsTable;
