import { join } from "node:path";
import { CROSS_ATTENTION_FILE } from "../../checkpoints/cross-attention-names.ts";
import { oneLine } from "../../system/printable.ts";
import { openSafetensors } from "../../tensor/safetensors.ts";
import { trainedName } from "../paths.ts";
import type { MergedConcept } from "./settings.ts";

/** Which trainings a merge is of: the merged file says it in its header, by names and not by places, for it may be sent on. */

const KEY = "rpo.merged_from";
const MOST_SHOWN = 500;

/** For the header of the merged file. */
export function originOf(concepts: readonly MergedConcept[]): Readonly<Record<string, string>> {
  const each = concepts.map(({ checkpoint, word, class: noun }) => `${trainedName(checkpoint)} ("${word} ${noun}")`);
  return { [KEY]: each.join(" and ") };
}

/** What a merge was made of, as a part of a sentence; undefined where its file does not say. @throws ModelError when it is damaged */
export async function mergedFrom(folder: string): Promise<string | undefined> {
  const { metadata } = await openSafetensors(join(folder, CROSS_ATTENTION_FILE));
  const from = metadata.get(KEY);
  return from === undefined ? undefined : oneLine(from, MOST_SHOWN);
}
