import { prose, whole } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Settings of the methods that learn a word: the same in all of them. */
export const WORDS = {
  /** Absent: what the method begins with. */
  initializer: {
    ...prose,
    absent: "none",
    takes: "<word>",
    defaultText: "inversion: the class word; custom: ktn",
    group: "Word",
    help: "a word of one token, whose vector the new word's begin as",
    row: { label: "begins as" },
  },
} as const satisfies SettingsTable;

/** Vectors that a word may have: as many as a text encoder reads at once would leave room for nothing else. */
export const MOST_VECTORS = 64;

export const VECTORS = {
  vectors: {
    ...whole([1, MOST_VECTORS]),
    default: 1,
    takes: "<n>",
    group: "Word",
    help: "how many vectors the word stands for: one is easiest to use in other prompts, more hold more of the photos",
    row: { label: "trains", text: ({ vectors }) => `${vectors} ${vectors === 1 ? "vector" : "vectors"} of a new word` },
  },
} as const satisfies SettingsTable;
