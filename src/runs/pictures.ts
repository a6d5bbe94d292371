import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readImage } from "../images/read.ts";
import { digestOf } from "../system/digest.ts";
import { exists } from "../system/files.ts";
import type { RunEvent } from "./events.ts";
import { IMAGES, validationImagePath } from "./folder.ts";

/** Removes the pictures of a step's validation, whatever prompts and noises they are of. */
export async function removeValidationPictures(run: string, step: number): Promise<void> {
  // "validation-000250-"
  const begins = validationImagePath(step, 0, 0).slice(IMAGES.length + 1, -"00-0.png".length);
  for (const name of await readdir(join(run, IMAGES)))
    if (name.startsWith(begins)) await rm(join(run, IMAGES, name), { force: true });
}

/** The steps that have pictures of a validation, all of them or some. */
export async function picturedSteps(run: string): Promise<number[]> {
  const names = await readdir(join(run, IMAGES)).catch((): string[] => []);
  const steps = names.map((name) => /^validation-(\d{6,})-/.exec(name)?.[1]).filter((step) => step !== undefined);
  return [...new Set(steps)].map(Number);
}

/** The SHA-256 of the pictures that a run has written, by their paths in its folder; runs of earlier versions do not say them. */
export function pictureHashes(events: readonly RunEvent[]): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  const add = ({ image, sha256 }: { readonly image: string; readonly sha256?: string | undefined }) => {
    if (sha256 !== undefined) hashes.set(image, sha256);
  };
  for (const event of events) {
    if (event.type === "start") event.photos?.forEach(add);
    if (event.type === "starting-picture") add(event);
    if (event.type === "round" || event.type === "validation") event.images.forEach(add);
  }
  return hashes;
}

/** Whether a picture is there and what was written; where that is not known, whether it can be decoded. */
export async function isWhole(path: string, sha256: string | undefined): Promise<boolean> {
  if (!(await exists(path))) return false;
  if (sha256 !== undefined) return (await digestOf(path)) === sha256;
  return readImage(path).then(
    () => true,
    () => false,
  );
}
