import { MACHINE } from "./common.ts";
import { oneOf, text } from "./kinds.ts";
import { pick, type SettingsTable } from "./setting.ts";

export const EXPORT_FORMATS = ["peft", "kohya", "diffusers"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Every setting of `rpo export`. */
export const EXPORT = {
  format: {
    ...oneOf(EXPORT_FORMATS),
    absent: "refused",
    takes: "<name>",
    help: "peft: a LoRA's folder for diffusers and PEFT; kohya: a LoRA's or a word's file for ComfyUI, A1111 and Forge; diffusers: a whole pipeline's folder",
  },
  output: {
    ...text,
    absent: "none",
    takes: "<path>",
    defaultText: "in the run's folder, exports/...",
    help: "a file for kohya, else a folder",
  },
  dtype: { ...oneOf(["f32", "f16"]), default: "f32", takes: "<type>", help: "f32, or f16 for half the size" },
  model: {
    ...text,
    absent: "none",
    takes: "<path>",
    defaultText: "",
    help: "what was trained on, where it is not where the run says",
  },
  ...pick(MACHINE, "threads"),
} as const satisfies SettingsTable;
