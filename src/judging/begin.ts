import type { PictureSource } from "../images/image-cache.ts";
import { checkUnchanged, startRun, type Provenance } from "../runs/config.ts";
import type { AnchorsEvent, RunControl } from "../runs/events.ts";
import { holdsRun } from "../runs/folder.ts";
import { pictureHashes } from "../runs/pictures.ts";
import { endWhatWasBegun } from "../runs/repair.ts";
import type { Own } from "../runtime/resources.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { makeFolder } from "../system/files.ts";
import { lockFolder } from "../system/lock.ts";
import { say, setting } from "../system/message.ts";
import { keepPhotos } from "../training/photos.ts";
import { openJudgedLog, type JudgedLog } from "./judged-log.ts";
import { checkSameJudging, eventsBefore, JUDGE_LOCK } from "./resume.ts";
import type { JudgeTask } from "./task.ts";

/** How a run that judges begins, or goes on. */

/** What a run judges with, when it is open. */
export interface Prepared {
  readonly settings: TrainSettings;
  readonly provenance: Provenance;
  /** The photos as a training would have them. */
  readonly squares: readonly PictureSource[];
  /** See closestOf. */
  readonly closest: { readonly closestI?: number };
}

export interface Beginning<P> {
  /** Opens models, photos and prompts; undefined where it was stopped before there was anything to judge. */
  readonly prepare: () => Promise<P | undefined>;
  /** Looks at what is to be judged. @throws UsageError, ModelError before anything is written */
  readonly check: (prepared: P, log: JudgedLog) => Promise<void>;
  /** What the reward says of the photos, where it can be measured. */
  readonly measure: (prepared: P) => Promise<AnchorsEvent | undefined>;
}

export interface Begun<P> {
  readonly prepared: P;
  readonly log: JudgedLog;
}

/**
 * In this order, so that what is wrong is said before long work, and before anything is written: whose folder it is and how it was begun, its
 * lock, models and photos, whether these are what the run began with, the files to judge; then the folder and the log's first lines.
 */
export async function beginJudging<P extends Prepared>(
  { request, judging }: Pick<JudgeTask, "request" | "judging">,
  { prepare, check, measure }: Beginning<P>,
  own: Own,
  control: Pick<RunControl, "emit">,
): Promise<Begun<P> | undefined> {
  const run = request.output;
  const goesOn = await holdsRun(run);
  const lock = async () => own({ release: await lockFolder(run, JUDGE_LOCK) });
  if (goesOn) {
    await checkSameJudging(run, request, judging);
    await lock();
    await endWhatWasBegun(run);
  }
  const prepared = await prepare();
  if (prepared === undefined) return undefined;
  const { settings, provenance } = prepared;
  if (goesOn) await checkUnchanged(run, settings, provenance);
  const before = goesOn ? await eventsBefore(run) : [];
  const log = openJudgedLog(settings, before);
  await check(prepared, log);
  if (!goesOn) {
    await makeFolder(run);
    await lock();
    // models take their time: another may have begun, and ended, there meanwhile
    if (await holdsRun(run))
      throw new UsageError(
        say`${setting("output", run)}: another rpo judge began there meanwhile; start this one again`,
      );
    await startRun(settings, provenance, judging);
  }
  const photos = await keepPhotos(run, prepared.squares, pictureHashes(before));
  if (!log.isBegun) {
    const { versions } = provenance;
    const start = {
      type: "start",
      time: new Date().toISOString(),
      version: versions.rpo,
      photos,
      ...prepared.closest,
    } as const;
    const anchors = await measure(prepared);
    await log.begin(start, anchors);
    control.emit(start);
    if (anchors !== undefined) control.emit(anchors);
  }
  return { prepared, log };
}
