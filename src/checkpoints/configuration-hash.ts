import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { describeFiles } from "./hashes.ts";

/** What a model's folder says of itself: the parts' configurations, the schedule, the vocabularies. */
const DESCRIBES =
  /^((unet|vae|scheduler|text_encoder(_2)?|tokenizer(_2)?)[\\/])?(config|scheduler_config|tokenizer|tokenizer_config|special_tokens_map|vocab|merges)\.(json|txt)$/;

/** A hash of that, whatever else is in the folder; undefined for a model in one file, whose configuration is this program's. */
export async function configurationHash(folder: string): Promise<string | undefined> {
  if (!(await stat(folder)).isDirectory()) return undefined;
  const lines = await describeFiles(folder, DESCRIBES);
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}
