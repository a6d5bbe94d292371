import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { ADVANTAGE } from "./settings.ts";

/** The model's own pictures weighted by their advantages. */
export const advantage = {
  about: "the photos, and the model's own pictures by how much better than others they are in likeness and prompt",
  settings: ADVANTAGE,
  report,
} as const satisfies MethodEntry;
