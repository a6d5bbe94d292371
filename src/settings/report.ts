import { text } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Every setting of `rpo report`. */
export const REPORT = {
  output: {
    ...text,
    absent: "none",
    takes: "<file>",
    defaultText: "report.html in the run's folder",
    help: "the page",
  },
  compare: {
    ...text,
    absent: "none",
    takes: "<run>",
    defaultText: "",
    help: "another run on the same prompts and noises, whose last validation is shown beside",
  },
} as const satisfies SettingsTable;
