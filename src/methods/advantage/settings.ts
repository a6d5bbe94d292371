import { above, between } from "../../settings/kinds.ts";
import { ROUNDS } from "../../settings/rounds.ts";
import { pick, type SettingsTable } from "../../settings/setting.ts";

export const ADVANTAGE = {
  ...pick(ROUNDS, "roundEvery", "roundPictures", "roundWeight", "roundBeta", "roundReference"),
  /** As the authors of Customized-GRPO have it. */
  synergy: {
    ...between(0, 1000),
    default: 0.4,
    takes: "<x>",
    group: "Advantage",
    help: "how much it counts that both alignments are above a prompt's average, or against each other",
    row: { label: "γ" },
  },
  ratioClip: {
    ...above(0),
    default: 0.2,
    takes: "<x>",
    group: "Advantage",
    help: "how far a picture may become likelier or less likely than it was",
    row: { label: "ε" },
  },
} as const satisfies SettingsTable;
