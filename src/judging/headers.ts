import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { findLoraFile } from "../checkpoints/lora.ts";
import { hashRange } from "../system/digest.ts";
import { isRecord, parseJson } from "../system/json.ts";
import { withRegular } from "../system/regular-files.ts";
import { openSafetensors, type SafetensorsFile } from "../tensor/safetensors.ts";
import type { Placed } from "./order.ts";
import { lookAt } from "./trained.ts";

/** What trainers write into a file's header. */

/** sd-scripts: `ss_steps`, `ss_epoch`; ai-toolkit: `training_info`. Files that say nothing give nothing. */
export function placeInHeader({ metadata }: Pick<SafetensorsFile, "metadata">): Placed["header"] {
  const info = jsonOf(metadata.get("training_info"));
  return {
    step: count(metadata.get("ss_steps")) ?? count(info["step"]),
    epoch: count(metadata.get("ss_epoch")) ?? count(info["epoch"]),
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

/** Whether two checkpoints hold the same tensors, whatever their headers say besides. */
export async function areSameWeights(a: string, b: string): Promise<boolean> {
  const [left, right] = [await openHeader(a), await openHeader(b)];
  if (left === undefined || right === undefined || left.tensors.size !== right.tensors.size) return false;
  for (const [name, { shape, dtype }] of left.tensors) {
    const other = right.tensors.get(name);
    if (other?.dtype !== dtype || other.shape.join() !== shape.join()) return false;
  }
  return (await hashOfData(left)) === (await hashOfData(right));
}

async function hashOfData({ path, size, dataStart }: SafetensorsFile): Promise<string> {
  const hash = createHash("sha256");
  await withRegular(path, { atMost: Infinity }, (file) => hashRange(hash, file, [dataStart, size]));
  return hash.digest("hex");
}
