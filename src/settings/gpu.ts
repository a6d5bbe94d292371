import { text, yesOrNo } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Every setting of `rpo gpu install`. */
export const GPU_INSTALL = {
  from: {
    ...text,
    absent: "none",
    takes: "<folder>",
    defaultText: "",
    help: "a Python environment, or its site-packages, to copy from what it has",
  },
  index: {
    ...text,
    absent: "none",
    takes: "<url>",
    defaultText: "pip's own: PIP_INDEX_URL, pip.conf, else PyPI",
    help: "the Python package index to fetch the rest from",
  },
} as const satisfies SettingsTable;

/** How `rpo gpu ...` go about it. */
export const CONFIRMED = {
  yes: { ...yesOrNo, default: false, help: "do not ask" },
} as const satisfies SettingsTable;

export const DRY_RUN = {
  dryRun: { ...yesOrNo, default: false, help: "only list what would be fetched" },
} as const satisfies SettingsTable;
