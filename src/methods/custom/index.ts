import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { CUSTOM } from "./settings.ts";

/** Custom Diffusion. */
export const custom = {
  about: "Custom Diffusion, which trains keys and values of the attention to texts, and a word",
  settings: CUSTOM,
  report,
  // diffusers' script: 1e-5, times two for the class pictures, for a batch of one
  trains: { what: "keys and values of the attention to texts, and a word", learningRate: 2e-5 },
  readsTexts: true,
} as const satisfies MethodEntry;
