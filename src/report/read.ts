import { stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { UsageError } from "../system/errors.ts";
import { packagePath } from "../system/package.ts";
import { reasonOf } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";
import { MOST_BYTES, readText } from "../system/regular-files.ts";
import { digestOf } from "../system/digest.ts";
import { hasCheckpoint } from "../runs/checkpoints.ts";
import { pictureHashes } from "../runs/pictures.ts";
import { repairRun } from "../runs/repair.ts";
import { checkSaved } from "../runs/saved.ts";
import { readRunConfig, type SavedConfig } from "../runs/config.ts";
import type { RunEvent } from "../runs/events.ts";
import { checkpointPath, CONFIG_FILE, EVENTS_FILE, holdsRun, photoImagePath, readEvents } from "../runs/folder.ts";
import { goneFiles, judgedName, readJudged } from "../runs/judged.ts";
import { subjectsOf } from "../settings/subjects.ts";
import { readExam } from "../runs/exam-file.ts";
import { withNegativesNamed } from "./version-1.ts";
import { reportOf, type RunReport } from "./report.ts";
import { shownRounds } from "./sections/rounds.ts";
import { MOST_NOISES } from "./sections/pictures.ts";
import type { PageAssets } from "./render.ts";
import { thumbnail, thumbnailSide } from "./thumbnails.ts";
import type { CompanionRun, JudgedFiles, Photo, Picture, ReportView } from "./view.ts";

/** The photos as the run kept them: those that its settings name are the reader's own, who may send the report on. */
const PHOTO_SIDE = 320;

/** Another run to compare with, and what to call it. */
export interface Companion {
  readonly run: string;
  readonly label: string;
}

/**
 * Reads a run's folder, finished or not, with its pictures.
 * @throws UsageError when it holds no run, or when a companion has other photos, another reward, other prompts or noises
 */
export async function readReport(
  run: string,
  { companions = [], now }: { readonly companions?: readonly Companion[]; readonly now: Date },
): Promise<ReportView> {
  const config = await readRun(run);
  await repairRun(run);
  await checkSaved(run);
  const { settings, judging, ...provenance } = config;
  const names = photosOf(config);
  const subjects = subjectsOf(settings).length;
  const events = withNegativesNamed(settings, await readEvents(run));
  const report = reportOf(settings, events, run);
  const files = picturesOf(report);
  const side = thumbnailSide(files.length);
  const written = pictureHashes(events);
  const damaged: string[] = [];
  const read = async (file: string, most: number): Promise<Picture | undefined> => {
    if (await isAsWritten(run, file, written.get(file))) return thumbnail(run, file, most);
    damaged.push(file);
    return undefined;
  };
  const photos: Photo[] = [];
  const cuts = events.find((event) => event.type === "start")?.photos ?? [];
  for (const [i, path] of names.entries())
    photos.push({
      name: subjects === 1 ? basename(path) : join(basename(dirname(path)), basename(path)),
      picture: await read(photoImagePath(i), PHOTO_SIDE),
      bucket: cuts.at(i)?.bucket,
    });
  const pictures = new Map<string, Picture>();
  for (const file of files) {
    const picture = await read(file, side);
    if (picture !== undefined) pictures.set(file, picture);
  }
  const available: number[] = [];
  for (const { step } of report.validations) if (await hasCheckpoint(run, step)) available.push(step);
  return {
    run,
    report,
    provenance,
    judged: judging && (await judgedFiles(run, report, { fromSamples: judging.samples !== undefined, events })),
    photos,
    pictures,
    damaged,
    available,
    companions: await Promise.all(companions.map((companion) => readCompanion(companion, config, report))),
    exam: await readExam(run),
    madeAt: now,
  };
}

/** Names of the files that a run judged: where they are stays out of the page. */
export async function judgedFiles(
  run: string,
  { validations }: RunReport,
  { fromSamples, events }: { readonly fromSamples: boolean; readonly events: readonly RunEvent[] },
): Promise<JudgedFiles> {
  const names = new Map<number, string>();
  for (const { step } of validations) {
    const judged = await readJudged(join(run, checkpointPath(step))).catch(() => undefined);
    if (judged !== undefined) names.set(step, judgedName(judged));
  }
  const gone = new Set((await goneFiles(run, [...names.keys()])).keys());
  return { fromSamples, names, gone, closestI: events.find((event) => event.type === "start")?.closestI };
}

/** A run's settings. @throws UsageError when they, or the events, are elsewhere: a run may come from others, who do not know what it is a link to */
async function readRun(run: string): Promise<SavedConfig> {
  for (const file of [CONFIG_FILE, EVENTS_FILE]) insideOf(run, file);
  return readRunConfig(run);
}

/** Whether a picture is what the run wrote, as far as is known; one that is missing is not damaged. @throws UsageError when it leads out of the folder */
async function isAsWritten(run: string, path: string, sha256: string | undefined): Promise<boolean> {
  const file = sha256 === undefined ? undefined : insideOf(run, path);
  if (file === undefined) return true;
  return (await digestOf(file, { atMost: MOST_BYTES.picture }).catch(() => undefined)) === sha256;
}

/** The pictures that the page shows. */
function picturesOf({ startingPictures, rounds, validations, shown, noises }: RunReport): string[] {
  const shownPictures = validations
    .filter(({ step }) => shown.includes(step))
    .flatMap(({ images }) => images.filter((_, i) => i % noises < MOST_NOISES));
  return [...startingPictures, ...shownRounds(rounds).flatMap(({ images }) => images), ...shownPictures].map(
    ({ image }) => image,
  );
}

/** The photos' paths as the run was given them. */
function photosOf({ settings, hashes }: SavedConfig): string[] {
  const { prompts } = settings;
  const folders = subjectsOf(settings).map(({ images }) => images);
  return Object.keys(hashes).filter(
    (path) => folders.includes(dirname(path)) && path !== prompts && !/\.(?:txt|caption|mask\.png)$/i.test(path),
  );
}

/** What alignments are measured with: fingerprints of the photos and of the reward. */
function judgedWith(config: SavedConfig): string {
  const { settings, hashes } = config;
  const reward = Object.keys(hashes).filter((path) => path.startsWith(settings.reward + sep));
  return [...photosOf(config), ...reward]
    .map((path) => hashes[path])
    .sort()
    .join();
}

async function readCompanion(
  { run, label }: Companion,
  main: SavedConfig,
  { validations, noises }: RunReport,
): Promise<CompanionRun> {
  if (judgedWith(await readRun(run)) !== judgedWith(main))
    throw new UsageError(`${run}: it has other photos or another reward, so the two runs cannot be compared`);
  const events = await readEvents(run);
  const written = pictureHashes(events);
  const last = events.filter((event) => event.type === "validation").at(-1);
  const expected = validations.at(0)?.images;
  if (last === undefined || expected === undefined)
    throw new UsageError(`${run}: nothing has been validated yet, so there is nothing to compare`);
  const same =
    last.images.length === expected.length &&
    last.images.every(({ prompt, seed }, i) => prompt === expected[i].prompt && seed === expected[i].seed);
  if (!same)
    throw new UsageError(
      `${run}: its validation has other prompts or noises, so the two runs cannot be compared picture by picture`,
    );
  const side = thumbnailSide(last.images.length);
  const pictures: (string | undefined)[] = [];
  for (const { image } of last.images.filter((_, i) => i % noises === 0)) {
    const isWhole = await isAsWritten(run, image, written.get(image));
    pictures.push(isWhole ? (await thumbnail(run, image, side))?.src : undefined);
  }
  return {
    label,
    pictures,
    validation: { step: last.step, images: last.images.map(({ alignI, alignT }) => ({ alignI, alignT })) },
  };
}

/** The page's style and script, which `npm run build` puts into dist. */
export async function readAssets(): Promise<PageAssets> {
  const read = async (name: string): Promise<string> => {
    const path = packagePath("dist", "report", "page", name);
    return readText(path).catch((error: unknown) => {
      throw new Error(`${path}: ${reasonOf(error)}; run npm run build`);
    });
  };
  return { style: await read("report.css"), script: await read("report.js") };
}

/** The folder, in a demo's, of the run without preference. */
export const PHOTOS_ALONE = "photos-alone";

/** What a demo compares its run with, as soon as that has been validated; nothing for other runs. */
export async function companionsOfDemo(run: string): Promise<Companion[]> {
  const alone = insideOf(run, PHOTOS_ALONE);
  if (alone === undefined) return [];
  if (!(await holdsRun(alone)) || !(await readEvents(alone)).some(({ type }) => type === "validation")) return [];
  return [{ run: alone, label: "photos alone" }];
}

/** Where a report goes unless told otherwise. */
export function defaultOutput(run: string): string {
  return join(run, "report.html");
}

/** @throws UsageError when `run` is no folder */
export async function checkRun(run: string): Promise<void> {
  const info = await stat(run).catch(() => undefined);
  if (info?.isDirectory() !== true) throw new UsageError(`${run}: no such folder (expected a run's)`);
}
