import { stat } from "node:fs/promises";
import { findLoraFile } from "../checkpoints/lora.ts";
import { isRecord, parseJson } from "../system/json.ts";
import { openSafetensors, type SafetensorsFile } from "../tensor/safetensors.ts";
import type { Placed } from "./places.ts";
import { lookAt } from "./trained.ts";

/** What trainers write into a file's header. */

/** What a header says of its file's place in a training. */
export type HeaderPlace = Placed["header"] & {
  /** What the training is called. */
  readonly training?: string | undefined;
};

/** sd-scripts: `ss_steps`, `ss_epoch`, `ss_output_name`; ai-toolkit: `training_info`, and the name as sd-scripts. Files that say nothing give nothing. */
export function placeInHeader({ metadata }: Pick<SafetensorsFile, "metadata">): HeaderPlace {
  const info = jsonOf(metadata.get("training_info"));
  return {
    step: count(metadata.get("ss_steps")) ?? count(info["step"]),
    epoch: count(metadata.get("ss_epoch")) ?? count(info["epoch"]),
    training: metadata.get("ss_output_name"),
  };
}

function jsonOf(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value = text === undefined ? undefined : parseJson(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function count(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** The one file of a checkpoint that has a header; undefined for a model's folder. @throws ModelError where it is not whole */
export async function openHeader(path: string): Promise<SafetensorsFile | undefined> {
  const { kind, path: place } = await lookAt(path);
  if (kind === "lora") return openSafetensors(await findLoraFile(place));
  return (await stat(place)).isDirectory() ? undefined : openSafetensors(place);
}
