import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { DPO } from "./settings.ts";

/** Direct preference optimization on the model's own pictures. */
export const dpo = {
  about: "the photos, and of the model's own pictures the better rather than the worse",
  settings: DPO,
  report,
} as const satisfies MethodEntry;
