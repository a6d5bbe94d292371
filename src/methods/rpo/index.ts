import type { MethodEntry } from "../../settings/setting.ts";
import { RPO } from "./settings.ts";

/** Reward preference optimization, the paper's method. */
export const rpo = { about: "reward preference optimization", settings: RPO } as const satisfies MethodEntry;
