import { MACHINE } from "./common.ts";
import { names, text } from "./kinds.ts";
import { pick, type SettingsTable } from "./setting.ts";

/** Every setting of `rpo merge`. */
export const MERGE = {
  output: { ...text, absent: "refused", takes: "<folder>", help: "where the merged files go" },
  classes: {
    ...names,
    isSingle: true,
    absent: "none",
    takes: "<words>",
    defaultText: "as the runs say",
    help: "what each subject is, with commas between, in the order of the folders",
  },
  captions: {
    ...text,
    isSingle: true,
    absent: "none",
    takes: "<file>",
    defaultText: "400 of its own",
    help: "texts for which the model is to stay as it was, one a line",
  },
  model: {
    ...text,
    absent: "none",
    takes: "<path>",
    defaultText: "",
    help: "what was trained on, where it is not where the runs say, or where checkpoints are of no run",
  },
  ...pick(MACHINE, "threads"),
} as const satisfies SettingsTable;
