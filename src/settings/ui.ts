import { text, whole, yesOrNo } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Every setting of `rpo ui`. */
export const UI = {
  port: { ...whole([0, 65_535]), default: 7480, takes: "<n>", help: "to listen at; 0: any that is free" },
  host: {
    ...text,
    default: "127.0.0.1",
    takes: "<address>",
    help: "to listen at; any other than this machine's own (127.0.0.1, ::1, localhost) asks its visitors for a token",
  },
  open: { ...yesOrNo, default: false, help: "open the page in the browser" },
} as const satisfies SettingsTable;
