import { oneOf } from "../../settings/kinds.ts";
import { ROUNDS } from "../../settings/rounds.ts";
import { pick, type SettingsTable } from "../../settings/setting.ts";

export const SFO = {
  ...pick(ROUNDS, "roundEvery", "roundPictures", "roundWeight", "roundBeta", "roundFloor", "roundReference"),
  positives: {
    ...oneOf(["own", "photos"]),
    default: "own",
    takes: "<which>",
    group: "Own pictures",
    help: "what is preferred: the model's own pictures of the training prompts, or the photos",
  },
  degraded: {
    ...oneOf(["both", "subject", "scene"]),
    default: "both",
    takes: "<what>",
    group: "Own pictures",
    help: "what the prompt of a negative lacks: the identifier, the scene, or now one and now the other; with the photos the identifier always",
    row: { label: "negatives lack", when: ({ positives }) => positives === "own" },
  },
} as const satisfies SettingsTable;
