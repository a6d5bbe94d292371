import { above, oneOf, whole, yesOrNo } from "../../settings/kinds.ts";
import type { SettingsTable } from "../../settings/setting.ts";

/** What reward preference optimization has settings of, besides those of every training. */

/** The rows of a report that say nothing of a run without the preference. */
const withPreference = (label: string) => ({
  label,
  when: ({ preference }: Readonly<Record<string, unknown>>) => preference === true,
});

export const RPO = {
  preference: {
    ...yesOrNo,
    default: true,
    inBench: "decided",
    group: "Preference",
    help: "train on the photos alone (L_sim)",
    inFile: "learn to prefer the photos, or the starting model's pictures, as the reward says",
    row: { text: () => "none: photos alone (L_sim)", when: ({ preference }) => preference === false },
  },
  beta: {
    ...above(0),
    default: 1,
    takes: "<x>",
    group: "Preference",
    help: "how steep the preference is",
    row: withPreference("β"),
  },
  condition: {
    ...oneOf(["modifier", "prompt"]),
    default: "modifier",
    takes: "<text>",
    group: "Preference",
    help: "the photo's prompt in the margin: modifier as in the paper, prompt as in the authors' script",
    row: withPreference("photo's prompt"),
  },
  labels: {
    ...oneOf(["sampled", "soft"]),
    default: "sampled",
    takes: "<kind>",
    group: "Preference",
    help: "sampled, or soft for their expectation",
    row: withPreference("labels"),
  },
  /** Factor on the difference of rewards in a label's sigmoid. */
  rewardScale: {
    ...above(0),
    default: 1,
    takes: "<x>",
    group: "Preference",
    help: "factor on reward differences in labels",
    row: withPreference("reward scale"),
  },
  negatives: {
    ...whole([1, 1000]),
    default: 4,
    takes: "<n>",
    group: "Preference",
    help: "pictures of the starting model for each training prompt",
    row: withPreference("negatives a prompt"),
  },
} as const satisfies SettingsTable;
