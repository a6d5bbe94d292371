import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "hono";
import { kindOf } from "../../images/kinds.ts";
import { makeFolder, writeFileAtomic } from "../../system/files.ts";
import { readLimited } from "../body.ts";
import { Refusal } from "../refusal.ts";

/** Photos that are dropped on the page: a folder for each drop, below the runs, where a run finds them when it goes on. */

const FOLDER = "photos";
/** Of one photo; a camera's are a tenth of it. */
const MOST_BYTES = 64e6;
const MOST_PHOTOS = 100;
const BATCH = /^[0-9]{8}-[0-9a-f]{8}$/;
/** What a photo may be called here: no folder in it, nothing hidden. */
const NAME = /^[^./\\\u0000-\u001f\u007f][^/\\\u0000-\u001f\u007f]{0,120}$/;

export function newBatch(now: Date): string {
  return `${now.toISOString().slice(0, 10).replaceAll("-", "")}-${randomBytes(4).toString("hex")}`;
}

/** A batch's folder. @throws Refusal where it is not the name of one */
export function batchFolder(root: string, batch: string): string {
  if (!BATCH.test(batch)) throw new Refusal(404, "no such photos");
  return join(root, FOLDER, batch);
}

/** A photo's path. @throws Refusal where the name is none */
export function photoPath(root: string, batch: string, name: string): string {
  if (!NAME.test(name) || name.includes("..")) throw new Refusal(400, "not a name that a photo may have");
  return join(batchFolder(root, batch), name);
}

/** Takes a photo, if it is one by its first bytes; it is decoded elsewhere. @throws Refusal */
export async function takePhoto(c: Context, root: string, batch: string, name: string): Promise<void> {
  const path = photoPath(root, batch, name);
  const bytes = await readLimited(c, MOST_BYTES);
  if (kindOf(bytes) === undefined)
    throw new Refusal(415, "not a picture that can be read (expected a JPEG, PNG, WebP, AVIF, TIFF or GIF)");
  const folder = batchFolder(root, batch);
  const there = await readdir(folder).catch((): string[] => []);
  if (there.length >= MOST_PHOTOS) throw new Refusal(413, `at most ${MOST_PHOTOS} photos`);
  await makeFolder(folder);
  await writeFileAtomic(path, bytes);
}

export async function dropPhoto(root: string, batch: string, name: string): Promise<void> {
  await rm(photoPath(root, batch, name), { force: true });
}
