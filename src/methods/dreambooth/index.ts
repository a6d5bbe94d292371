import type { MethodEntry } from "../../settings/method-entry.ts";
import { PRESETS } from "./presets.ts";
import { report } from "./report.ts";
import { DREAMBOOTH } from "./settings.ts";

/** DreamBooth with prior preservation. */
export const dreambooth = {
  about: "DreamBooth, whose class pictures preserve what the model knew of the class",
  settings: DREAMBOOTH,
  presets: PRESETS,
  report,
} as const satisfies MethodEntry;
