import { ROUNDS } from "../../settings/rounds.ts";
import { pick, type SettingsTable } from "../../settings/setting.ts";

export const KTO = pick(
  ROUNDS,
  "roundEvery",
  "roundPictures",
  "roundLambda",
  "roundWeight",
  "roundBeta",
  "roundReference",
) satisfies SettingsTable;
