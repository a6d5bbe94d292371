import { above, yesOrNo } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Settings of a LoRA of the text encoders beside the U-Net's. */
export const TEXT_LORA = {
  trainTextEncoder: {
    ...yesOrNo,
    default: false,
    group: "Training",
    help: "with --adapter lora: give the text encoders a LoRA too, of the same rank and alpha, which trains with the U-Net's",
    inFile: "give the text encoders a LoRA too, of the same rank and alpha, which trains with the U-Net's",
    row: {
      label: "trains too",
      text: () => "LoRA of the text encoders",
      when: (all) => all["trainTextEncoder"] === true,
    },
  },
  /** Absent: the U-Net's. */
  textEncoderLearningRate: {
    ...above(0),
    name: "textEncoderLr",
    absent: "none",
    takes: "<x>",
    defaultText: "as --lr",
    group: "Training",
    help: "learning rate of the text encoders' LoRA",
  },
} as const satisfies SettingsTable;
