import { above, oneOf } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Settings of what updates the weights. The default is what the paper does. */

export const OPTIMIZERS = ["adamw", "prodigy"] as const;

/** Times which Prodigy's own estimate is the rate. */
export const PRODIGY_LEARNING_RATE = 1;

const isProdigy = { when: (all: Readonly<Record<string, unknown>>) => all["optimizer"] === "prodigy" };

export const OPTIMIZER = {
  optimizer: {
    ...oneOf(OPTIMIZERS),
    default: "adamw",
    isUsers: true,
    takes: "<name>",
    group: "Training",
    help: "adamw, or prodigy, which finds the learning rate by itself (arXiv 2306.06101)",
    row: isProdigy,
  },
  dCoef: {
    ...above(0),
    default: 1,
    takes: "<x>",
    group: "Training",
    help: "with Prodigy: times which its estimate counts; 0.5 learns less, 2 more",
    row: isProdigy,
  },
  /** Absent: no bound. */
  growthRate: {
    ...above(1),
    absent: "none",
    takes: "<x>",
    defaultText: "no bound",
    group: "Training",
    help: "with Prodigy: by how much its estimate may grow in a step at most, such as 1.02",
  },
} as const satisfies SettingsTable;
