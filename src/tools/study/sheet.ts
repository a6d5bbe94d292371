import { join } from "node:path";
import sharp, { type OverlayOptions } from "sharp";
import { QUESTIONS } from "../../exam/questions.ts";
import { listImages } from "../../images/folder.ts";
import { readEvents } from "../../runs/folder.ts";
import { exists } from "../../system/files.ts";
import { UsageError } from "../../system/errors.ts";
import { subjectOf } from "./perform.ts";
import { ownPrompts } from "./prompts.ts";
import type { StudyRun } from "./studies.ts";

/** A contact sheet: what the trainings of a study drew of the exam's questions, from the same noises. */

const TILE = 64;
const GAP = 2;
/** Between subjects. */
const WIDE_GAP = 12;

/** The questions shown, by their place among the exam's: beach, water, wheat field, pink fabric; blue, purple, yellow, blue in a field. */
const SHOWN = [0, 5, 6, 7, 8, 9, 10, 11] as const;

export interface SheetOptions {
  /** The study's folder. */
  readonly output: string;
  /** Of which step the methods' pictures are. */
  readonly step: number;
  /** Where the sheet goes, a .webp or .png. */
  readonly file: string;
}

/**
 * Every subject has a row of the starting model and one of each method; in front of each stands one of its photos.
 * @param runs of one seed and one surroundings
 * @throws UsageError where nothing has been drawn
 */
export async function writeSheet(runs: readonly StudyRun[], { output, step, file }: SheetOptions): Promise<void> {
  const tiles: OverlayOptions[] = [];
  let top = 0;
  for (const subject of new Set(runs.map((run) => run.subject))) {
    const own = runs.filter((run) => run.subject === subject);
    if (!(await exists(join(output, "runs", own[0].name)))) continue;
    const photos = await listImages(join(output, "photos", own[0].surroundings, subject));
    const rows = [{ run: own[0], at: 0 }, ...own.map((run) => ({ run, at: step }))];
    for (const [row, { run, at }] of rows.entries()) {
      const paths = [photos[row % photos.length], ...(await drawnAt(run, at, output))];
      tiles.push(...paths.map((input, column) => ({ input, left: column * (TILE + GAP), top })));
      top += TILE + GAP;
    }
    top += WIDE_GAP;
  }
  if (tiles.length === 0) throw new UsageError(`${output}: nothing has been drawn yet`);
  const size = { width: (1 + SHOWN.length) * (TILE + GAP) - GAP, height: top - WIDE_GAP - GAP };
  const sheet = sharp({ create: { ...size, channels: 3, background: "white" } }).composite(tiles);
  await (file.endsWith(".webp") ? sheet.webp({ quality: 92 }) : sheet.png()).toFile(file);
}

/** The first picture of each question. */
async function drawnAt(run: StudyRun, step: number, output: string): Promise<string[]> {
  const folder = join(output, "runs", run.name);
  const { validation: before } = await ownPrompts(subjectOf(run).className);
  const events = (await exists(folder)) ? await readEvents(folder) : [];
  const validation = events.find((event) => event.type === "validation" && event.step === step);
  if (validation?.type !== "validation") throw new UsageError(`${folder}: has no pictures of step ${step}`);
  return SHOWN.map((question) => {
    const { text } = QUESTIONS[question];
    const drawn = validation.images.find(
      (image) => image.promptIndex === before.length + question && image.index === 0,
    );
    if (drawn === undefined) throw new UsageError(`${folder}: step ${step} has no picture of "${text}"`);
    return join(folder, drawn.image);
  });
}
