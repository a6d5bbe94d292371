import { ROUNDS } from "../../settings/rounds.ts";
import type { SettingsTable } from "../../settings/setting.ts";

export const KTO = ROUNDS satisfies SettingsTable;
