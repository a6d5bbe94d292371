import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { SFO } from "./settings.ts";

/** Subject fidelity optimization with negatives of degraded prompts. */
export const sfo = {
  about: "the photos, and pictures of a whole prompt rather than of one that lacks the subject or the scene",
  settings: SFO,
  report,
} as const satisfies MethodEntry;
