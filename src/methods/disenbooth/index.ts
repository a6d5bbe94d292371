import type { MethodEntry } from "../../settings/method-entry.ts";
import { PRESETS } from "./presets.ts";
import { report } from "./report.ts";
import { DISENBOOTH } from "./settings.ts";

/** DisenBooth. */
export const disenbooth = {
  about: "DisenBooth, which gives each photo's surroundings and pose an embedding of their own",
  settings: DISENBOOTH,
  report,
  presets: PRESETS,
  readsPhotos: true,
} as const satisfies MethodEntry;
