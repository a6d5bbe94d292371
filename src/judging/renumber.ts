import { rm } from "node:fs/promises";
import { join } from "node:path";
import { removeCheckpoint } from "../runs/checkpoints.ts";
import { checkpointPath, validationImagePath } from "../runs/folder.ts";
import { readJudged, writeJudged } from "../runs/judged.ts";
import { removeValidationPictures } from "../runs/pictures.ts";
import { exists, writeFileAtomic } from "../system/files.ts";
import { MOST_BYTES, readBytes } from "../system/regular-files.ts";
import type { JudgedLog } from "./judged-log.ts";

type Log = Pick<JudgedLog, "validations" | "renumber">;

/**
 * Gives what was judged the steps that it has come to have: the last file of a training moves on when the training does.
 *
 * One step after the other, each to one that the log does not speak of: a kill leaves a log with all that it speaks of, and the next look finds
 * the moves that are left.
 * @param moves from, to; those onto a step that stays are left out
 * @returns what was moved
 */
export async function renumber(
  run: string,
  moves: ReadonlyMap<number, number>,
  log: Log,
): Promise<ReadonlyMap<number, number>> {
  const steps = log.validations.map(({ step }) => step);
  const stays = new Set(steps.filter((step) => !moves.has(step)));
  const wanted = new Map([...moves].filter(([from, to]) => from !== to && steps.includes(from) && !stays.has(to)));
  const left = new Map(wanted);
  while (left.size > 0) {
    const taken = new Set(log.validations.map(({ step }) => step));
    const next = [...left].find(([, to]) => !taken.has(to));
    if (next !== undefined) {
      await moveStep(run, next, log);
      left.delete(next[0]);
      continue;
    }
    // each waits for another: one makes room, on a step that nothing is of
    const [[from, to]] = left;
    let aside = 1;
    while (taken.has(aside) || [...left.values()].includes(aside)) aside++;
    await moveStep(run, [from, aside], log);
    left.delete(from);
    left.set(aside, to);
  }
  return wanted;
}

/** Moves one step onto one that is free: the new names come first, then the log, then the old names go. */
async function moveStep(run: string, [from, to]: readonly [number, number], log: Log): Promise<void> {
  const images = log.validations.find(({ step }) => step === from)?.images ?? [];
  // what a stop left there is of neither
  await removeValidationPictures(run, to);
  for (const { image, promptIndex, index } of images) {
    if (!(await exists(join(run, image)))) continue;
    const bytes = await readBytes(join(run, image), { atMost: MOST_BYTES.picture });
    await writeFileAtomic(join(run, validationImagePath(to, promptIndex, index)), bytes);
  }
  const file = await readJudged(join(run, checkpointPath(from)));
  if (file === undefined) await removeCheckpoint(run, to);
  else await writeJudged(run, { ...file, step: to });
  await log.renumber(new Map([[from, to]]));
  for (const { image } of images) await rm(join(run, image), { force: true });
  await removeCheckpoint(run, from);
}
