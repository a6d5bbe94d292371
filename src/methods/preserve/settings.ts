import { between } from "../../settings/kinds.ts";
import type { SettingsTable } from "../../settings/setting.ts";

/** What preserving has a setting of, besides those of every training. */
export const PRESERVE = {
  /** The default is our own; see docs/methods.md. */
  preserveWeight: {
    ...between(0, 1e6),
    default: 0.1,
    takes: "<x>",
    group: "Preservation",
    help: "how strongly the weights are pulled back to where they began",
    row: { label: "weight" },
  },
} as const satisfies SettingsTable;
