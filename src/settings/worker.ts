import { MACHINE } from "./common.ts";
import { text, whole } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

const REDIS_HELP = "redis://[:PASSWORD@]HOST[:PORT], or rediss:// for TLS";

/** A queue on several machines, for those who may do without. */
export const REDIS = {
  redis: { ...text, absent: "none", takes: "<url>", defaultText: "", group: "Machine", help: REDIS_HELP },
} as const satisfies SettingsTable;

/** Every setting of `rpo worker`. */
export const WORKER = {
  redis: { ...text, absent: "refused", takes: "<url>", help: REDIS_HELP },
  concurrency: { ...whole([1, 256]), default: 1, takes: "<n>", help: "jobs at a time" },
  threads: { ...MACHINE.threads, group: "", help: "of each job" },
  root: {
    ...text,
    absent: "none",
    takes: "<folder>",
    defaultText: "wherever one is",
    help: "work on no benchmark but those below it",
  },
} as const satisfies SettingsTable;
