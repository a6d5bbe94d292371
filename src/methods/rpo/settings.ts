import { above, between, oneOf, whole, yesOrNo } from "../../settings/kinds.ts";
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
    ...oneOf(["sampled", "soft", "fixed"]),
    default: "sampled",
    takes: "<kind>",
    group: "Preference",
    help: "sampled, soft for their expectation, or fixed at ½, without the reward",
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
  /** λ of a label's reward; 0 as in the paper, on the alignments as they are, above it on calibrated ones. */
  trainLambda: {
    ...between(0, 1),
    default: 0,
    takes: "<x>",
    group: "Preference",
    help: "how much likeness counts against the prompt in labels; above 0 both are measured between the starting model and the photos",
    row: withPreference("λ of labels"),
  },
  preferenceWeight: {
    ...between(0, 1e6),
    default: 1,
    takes: "<x>",
    group: "Preference",
    help: "how much the preference counts beside the photos' loss",
    row: withPreference("weight"),
  },
  photoFloor: {
    ...between(0, 1e6),
    default: 0,
    takes: "<x>",
    group: "Preference",
    help: "how much it costs that the photo gets worse than it was with the margin's prompt",
    row: withPreference("floor of the photo"),
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
