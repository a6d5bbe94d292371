import { ROUNDS } from "../../settings/rounds.ts";
import type { SettingsTable } from "../../settings/setting.ts";

export const DPO = ROUNDS satisfies SettingsTable;
