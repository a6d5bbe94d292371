import { CONCEPTS } from "../../settings/concepts.ts";
import { yesOrNo } from "../../settings/kinds.ts";
import { PRIOR } from "../../settings/prior.ts";
import type { SettingsTable } from "../../settings/setting.ts";
import { WORDS } from "../../settings/words.ts";

/** What Custom Diffusion has settings of, besides those of every training. */
export const CUSTOM = {
  ...CONCEPTS,
  ...PRIOR,
  ...WORDS,
  /** As the authors have it. */
  augment: {
    ...yesOrNo,
    default: true,
    group: "Photos",
    help: "train on the photos as they are, without showing them smaller and larger",
    inFile: "show the photos smaller, in a frame, and larger, with words for it in the prompt",
    row: { label: "smaller and larger" },
  },
} as const satisfies SettingsTable;
