import { TRAIN } from "./train.ts";
import type { SettingsTable } from "./setting.ts";

const { given, stored, takes } = TRAIN.lambda;
const { given: givenForm, stored: storedForm, takes: form } = TRAIN.rewardForm;

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
  rewardForm: {
    given: givenForm,
    stored: storedForm,
    takes: form,
    absent: "none",
    defaultText: "the run's own",
    help: "harmonic as in the paper, or calibrated by what the run measured of its photos and the starting model",
  },
} as const satisfies SettingsTable;
