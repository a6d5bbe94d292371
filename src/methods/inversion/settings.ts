import { oneOf } from "../../settings/kinds.ts";
import type { SettingsTable } from "../../settings/setting.ts";
import { VECTORS, WORDS } from "../../settings/words.ts";

/** What textual inversion has settings of, besides those of every training. */
export const INVERSION = {
  ...VECTORS,
  ...WORDS,
  /** The authors' neutral sentences, for things or for styles. */
  sentences: {
    ...oneOf(["object", "style", "plain"]),
    default: "object",
    takes: "<kind>",
    group: "Word",
    help: "what the word is learnt in: the authors' sentences for an object or for a style, or plain for the photos' prompt alone",
  },
} as const satisfies SettingsTable;
