import { text, whole, yesOrNo } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";

/** Every setting of `rpo ui`. */
export const UI = {
  port: { ...whole([0, 65_535]), default: 7480, takes: "<n>", help: "to listen at; 0: any that is free" },
  host: {
    ...text,
    default: "127.0.0.1",
    takes: "<address>",
    help: "to listen at; 127.0.0.1, ::1 and localhost are this machine's own",
  },
  token: {
    ...yesOrNo,
    default: true,
    help: "ask for no token, which stands in the address that is printed: whoever has an account of this machine may then do what the page can",
  },
  open: { ...yesOrNo, default: false, help: "open the page in the browser" },
} as const satisfies SettingsTable;
