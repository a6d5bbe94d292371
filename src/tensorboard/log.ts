import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ProgressEvent, RunEvent } from "../runs/events.ts";
import { readEvents } from "../runs/folder.ts";
import { readProgress } from "../runs/state.ts";
import { UsageError } from "../system/errors.ts";
import { cannotWrite, reasonOf } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";
import { MOST_BYTES, readBytesSync } from "../system/regular-files.ts";
import { TENSORBOARD_FOLDER } from "./folder.ts";
import { encodeEvent, type LogEvent } from "./messages.ts";
import { encodeRecord } from "./records.ts";
import { valuesOf, type CurveTags } from "./values.ts";

/** A listener to a run. */
export interface RunLog {
  /** @throws Error when the disk does not take it */
  write(event: RunEvent | ProgressEvent): void;
  close(): void;
}

/**
 * A run's events as event files that TensorBoard shows.
 *
 * Every session of a run writes a file of its own, from its first event on, so that half a record, which a crash may leave at a
 * file's end, stays the last of that file. A session that goes on at step n begins its file with SessionLog START at n, which tells
 * readers to forget what earlier files say of n and later; what the run's own log still says of them is written again.
 *
 * Writing is synchronous: when the run saves its state, all that belongs to it has been handed to the system.
 */
export async function openTensorBoardLog(
  run: string,
  {
    resume,
    tags = {},
    now = () => Date.now() / 1000,
  }: { readonly resume: boolean; readonly tags?: CurveTags | undefined; readonly now?: () => number },
): Promise<RunLog> {
  const folder = join(run, TENSORBOARD_FOLDER);
  const progress = resume ? await readProgress(run) : undefined;
  // Read now: the run appends to its log before it tells its listeners.
  const past = progress === undefined ? [] : await readEvents(run, progress.eventsLength);
  let file: EventFile | undefined;

  const put = (event: RunEvent): void => {
    const { step, values } = valuesOf(event, (path) => readPicture(run, path), tags);
    // a record each: a validation's pictures together would be many megabytes
    for (const value of values) file?.append({ wallTime: now(), step, what: { kind: "values", values: [value] } });
  };
  const begin = (): EventFile => {
    const earlier = eventFiles(folder);
    file = createEventFile(folder, earlier, now());
    file.append({ wallTime: now(), step: 0, what: { kind: "opening" } });
    // A run that was not logged so far has nothing to be forgotten, and all of its events are still to be written.
    const from = earlier.length === 0 ? 0 : (progress?.step ?? 0);
    file.append({ wallTime: now(), step: from, what: { kind: "start" } });
    for (const event of past) if (stepOf(event) >= from) put(event);
    return file;
  };
  return {
    write(event) {
      if (isPassing(event)) return;
      file ??= begin();
      put(event);
    },
    close: () => file?.close(),
  };
}

/** Whether an event is for the moment only, and in no log. */
function isPassing(event: RunEvent | ProgressEvent): event is ProgressEvent {
  return event.type === "progress" || event.type === "warning" || event.type === "estimate";
}

function stepOf(event: RunEvent): number {
  return "step" in event ? event.step : 0;
}

/** A picture's bytes. @throws UsageError when it is missing, no regular file, or leads out of the run's folder */
function readPicture(run: string, path: string): Uint8Array {
  const file = insideOf(run, path) ?? join(run, path);
  try {
    return readBytesSync(file, { atMost: MOST_BYTES.picture });
  } catch (error) {
    throw new UsageError(`${file}: ${reasonOf(error)}`, { cause: error });
  }
}

interface EventFile {
  append(event: LogEvent): void;
  close(): void;
}

/** Creates the folder's newest event file. Readers go through the files in the order of their names. */
function createEventFile(folder: string, earlier: readonly string[], now: number): EventFile {
  const seconds = Math.max(Math.floor(now), ...earlier.map((name) => secondsOf(name) + 1));
  const path = join(folder, `events.out.tfevents.${String(seconds).padStart(10, "0")}.rpo`);
  const orSayWhere = <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      throw cannotWrite(path, error);
    }
  };
  const file = orSayWhere(() => {
    mkdirSync(folder, { recursive: true });
    return openSync(path, "wx");
  });
  return {
    append(event) {
      const record = encodeRecord(encodeEvent(event));
      orSayWhere(() => {
        for (let done = 0; done < record.byteLength;) done += writeSync(file, record, done);
      });
    },
    close: () => closeSync(file),
  };
}

/** Names of the event files in a folder, which need not be there. */
function eventFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.includes("tfevents"));
  } catch {
    return [];
  }
}

/** The time in an event file's name; 0 where there is none. */
function secondsOf(name: string): number {
  return Number(/tfevents\.(\d+)/.exec(name)?.[1] ?? 0);
}
