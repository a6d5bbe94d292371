import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { INVERSION } from "./settings.ts";

/** Textual inversion. */
export const inversion = {
  about: "textual inversion, which learns a word and changes nothing else",
  settings: INVERSION,
  report,
  // diffusers' script, for a batch of one
  trains: { what: "a word", learningRate: 5e-4 },
  readsTexts: true,
  isTokenAlone: true,
} as const satisfies MethodEntry;
