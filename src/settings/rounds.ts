import { above, between, oneOf, whole } from "./kinds.ts";
import { WHOLE } from "./limits.ts";
import type { SettingsTable } from "./setting.ts";

/** What the methods have settings of that learn from pictures which the model draws while it trains. Each method takes those that it uses. */
export const ROUNDS = {
  roundEvery: {
    ...whole([1, WHOLE.steps[1]]),
    default: 40,
    takes: "<n>",
    group: "Own pictures",
    help: "steps between two rounds of pictures; the first is the starting model's",
    row: { label: "steps a round" },
  },
  roundPictures: {
    ...whole([2, WHOLE.validationImages[1]]),
    default: 4,
    takes: "<n>",
    group: "Own pictures",
    help: "pictures of each training prompt in a round",
    row: { label: "pictures of a prompt" },
  },
  roundLambda: {
    ...between(0, 1),
    default: 0.5,
    takes: "<x>",
    group: "Own pictures",
    help: "how much likeness counts against the prompt when a round is judged",
    row: { label: "λ of a round" },
  },
  roundWeight: {
    ...between(0, 1e6),
    default: 1,
    takes: "<x>",
    group: "Own pictures",
    help: "how much the loss on a round's pictures counts beside the photos'",
    row: { label: "weight" },
  },
  roundBeta: {
    ...above(0),
    default: 1,
    takes: "<x>",
    group: "Own pictures",
    help: "how steep the loss on a round's pictures is",
    row: { label: "β" },
  },
  /** DPO-Positive's idea: the better one of a pair is not to be unlearnt with the worse. */
  roundFloor: {
    ...between(0, 1e6),
    default: 0,
    takes: "<x>",
    group: "Own pictures",
    help: "how much it costs that the preferred picture of a pair gets worse than the compared model has it",
    row: { label: "floor" },
  },
  /** Of the model that the errors are compared with. */
  roundReference: {
    ...oneOf(["start", "round"]),
    default: "start",
    takes: "<model>",
    group: "Own pictures",
    help: "what the model is compared with: the starting model, or itself as it was when the round was drawn",
    row: { label: "compared with" },
  },
} as const satisfies SettingsTable;
