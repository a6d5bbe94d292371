import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { PRESERVE } from "./settings.ts";

/** Fine-tuning that stays near the starting model. */
export const preserve = {
  about: "the photos alone, with a pull of the weights to the starting model",
  settings: PRESERVE,
  report,
} as const satisfies MethodEntry;
