import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { KTO } from "./settings.ts";

/** Kahneman-Tversky optimization on the model's own pictures. */
export const kto = {
  about: "the photos, and of the model's own pictures, one by one, more of the better half and less of the worse",
  settings: KTO,
  report,
} as const satisfies MethodEntry;
