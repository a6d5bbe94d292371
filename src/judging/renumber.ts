import { rm } from "node:fs/promises";
import { join } from "node:path";
import { removeCheckpoint } from "../runs/checkpoints.ts";
import { checkpointPath, validationImagePath } from "../runs/folder.ts";
import { readJudged, writeJudged } from "../runs/judged.ts";
import { exists, writeFileAtomic } from "../system/files.ts";
import { MOST_BYTES, readBytes } from "../system/regular-files.ts";
import type { JudgedLog } from "./judged-log.ts";

/**
 * Gives what was judged the steps that it has come to have: the last file of a training moves on when the training does.
 *
 * The new names come first, then the log, then the old names go: a kill leaves the old log with all that it speaks of, or the new one.
 * @param moves from, to; those onto a step that stays are left out
 * @returns what was moved
 */
export async function renumber(
  run: string,
  moves: ReadonlyMap<number, number>,
  log: Pick<JudgedLog, "validations" | "renumber">,
): Promise<ReadonlyMap<number, number>> {
  const stays = new Set(log.validations.map(({ step }) => step).filter((step) => !moves.has(step)));
  const free = new Map([...moves].filter(([, to]) => !stays.has(to)));
  const moved = log.validations.filter(({ step }) => free.has(step));
  if (moved.length === 0) return new Map();
  // all are read before any is written: one may take another's name
  const pictures: { from: string; to: string; bytes: Uint8Array }[] = [];
  for (const { step, images } of moved)
    for (const { image, promptIndex, index } of images) {
      if (!(await exists(join(run, image)))) continue;
      const to = validationImagePath(free.get(step) ?? step, promptIndex, index);
      pictures.push({ from: image, to, bytes: await readBytes(join(run, image), { atMost: MOST_BYTES.picture }) });
    }
  const files = [];
  for (const { step } of moved) {
    const file = await readJudged(join(run, checkpointPath(step)));
    if (file !== undefined) files.push({ ...file, step: free.get(step) ?? step });
  }
  for (const { to, bytes } of pictures) await writeFileAtomic(join(run, to), bytes);
  for (const file of files) await writeJudged(run, file);
  await log.renumber(free);
  const taken = new Set(pictures.map(({ to }) => to));
  for (const { from } of pictures) if (!taken.has(from)) await rm(join(run, from), { force: true });
  const isTaken = new Set(free.values());
  for (const step of free.keys()) if (!isTaken.has(step)) await removeCheckpoint(run, step);
  return free;
}
