import type { MethodEntry } from "../../settings/method-entry.ts";
import { report } from "./report.ts";
import { RPO } from "./settings.ts";

/** Reward preference optimization, the paper's method. */
export const rpo = { about: "reward preference optimization", settings: RPO, report } as const satisfies MethodEntry;
