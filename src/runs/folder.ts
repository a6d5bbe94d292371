import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../system/errors.ts";
import { hashRange } from "../system/digest.ts";
import { cannotWrite, exists, reasonOf } from "../system/files.ts";
import { MOST_BYTES, readBytes, readText } from "../system/regular-files.ts";
import { createLineParser, jsonOf } from "./event-lines.ts";
import type { RunEvent } from "./events.ts";
import { asVersion1 } from "./version-1.ts";
import { RUN_VERSION, type RunVersion } from "./version.ts";

/** A run's folder: names of its parts, and the log of events. The format is docs/run-folder.md's; other tools read it. */

export const CONFIG_FILE = "config.json";
export const EVENTS_FILE = "events.jsonl";
export const BEST_FILE = "best.json";
export const CHECKPOINTS = "checkpoints";
export const IMAGES = "images";
/** Event files for `tensorboard --logdir`. */
export const TENSORBOARD = "tensorboard";

/** What a benchmark's folder begins with: its settings, and hashes of what they were used with. No run may begin there. */
export const BENCHMARK_FILE = "bench.json";

/** checkpoints/000040 */
export function checkpointPath(step: number): string {
  return `${CHECKPOINTS}/${stepName(step)}`;
}

/** images/validation-000040-03-1.png: prompt 3, picture 1. */
export function validationImagePath(step: number, prompt: number, index: number): string {
  return `${IMAGES}/validation-${stepName(step)}-${String(prompt).padStart(2, "0")}-${index}.png`;
}

/** images/photo-00.png: a photo as it was trained, cropped, so that the folder tells its story when the photo is gone. */
export function photoImagePath(index: number): string {
  return `${IMAGES}/photo-${String(index).padStart(2, "0")}.png`;
}

/** images/negative-03-1.png: a picture of the starting model, by what the method uses it as. */
export function startingPicturePath(use: string, prompt: number, index: number): string {
  return `${IMAGES}/${use}-${String(prompt).padStart(2, "0")}-${index}.png`;
}

/** images/round-000040-own-03-1.png: a picture that the model drew for its own training, by what the method uses it as. */
export function roundPicturePath(step: number, use: string, prompt: number, index: number): string {
  return `${IMAGES}/round-${stepName(step)}-${use}-${String(prompt).padStart(2, "0")}-${index}.png`;
}

function stepName(step: number): string {
  return String(step).padStart(6, "0");
}

/** Whether the folder holds a run, finished or not. A model's folder has a config.json too, which names the model's class. */
export async function holdsRun(run: string): Promise<boolean> {
  if (await exists(join(run, EVENTS_FILE))) return true;
  const config = await readText(join(run, CONFIG_FILE)).catch(() => undefined);
  return config !== undefined && !/"(_class_name|model_type|architectures)"\s*:/.test(config);
}

/**
 * The events of a run, the first `length` bytes of them if that is given. A last line that a crash cut off is left out.
 * @throws UsageError when the folder holds no run, or naming the line that is damaged or does not follow those before it
 */
export async function readEvents(run: string, length?: number): Promise<RunEvent[]> {
  const path = join(run, EVENTS_FILE);
  const bytes = await readBytes(path, { atMost: MOST_BYTES.log }).catch((error: unknown) => {
    throw new UsageError(
      reasonOf(error) === "no such file"
        ? `${run}: no run here (expected ${EVENTS_FILE})`
        : `${path}: ${reasonOf(error)}`,
    );
  });
  if (length !== undefined && bytes.length < length)
    throw new UsageError(
      `${path}: expected ${length} bytes or more, as when the run was saved, got ${bytes.length}; put the whole file back, or start a new run`,
    );
  const end = Math.min(length ?? Infinity, bytes.length);
  const parse = createLineParser(path);
  const events: RunEvent[] = [];
  for (let start = 0; start < end;) {
    const next = bytes.indexOf("\n", start);
    const line = bytes.subarray(start, next < 0 || next > end ? end : next);
    start += line.length + 1;
    // an event is written with its line's end, so that only a last line without one can be half an event
    if (start > end && jsonOf(line.toString("utf8")) === undefined) break;
    const event = parse(line);
    if (event !== undefined) events.push(event);
  }
  return events;
}

/** A part of the log, from its beginning. */
export interface LogPart {
  /** In bytes. */
  readonly length: number;
  /** The SHA-256 of those bytes. */
  readonly hash: string;
}

/** The log of a run, appended a line at a time. */
export interface EventLog {
  append(event: RunEvent): Promise<void>;
  /** Makes what was appended survive a power cut. @returns all of it */
  sync(): Promise<LogPart>;
  close(): Promise<void>;
}

/** Opens the log for appending, cut to the `length` bytes that belong to the saved state. @param version the form that the run has its events in */
export async function openEventLog(run: string, length: number, version: RunVersion = RUN_VERSION): Promise<EventLog> {
  const path = join(run, EVENTS_FILE);
  const orSayWhere = (error: unknown): never => {
    throw cannotWrite(path, error);
  };
  const file: FileHandle = await open(path, "a+").catch(orSayWhere);
  if ((await file.stat()).size > length) await file.truncate(length);
  const hash = createHash("sha256");
  await hashRange(hash, file, [0, length]);
  return {
    async append(event) {
      const { size } = await file.stat();
      const line = `${JSON.stringify(version === 1 ? asVersion1(event) : event)}\n`;
      try {
        await file.appendFile(line);
      } catch (error) {
        // a full disk may take half of it; the event of the error, which may follow, must begin a new line
        await file.truncate(size).catch(() => undefined);
        orSayWhere(error);
      }
      hash.update(line);
    },
    async sync() {
      await file.sync().catch(orSayWhere);
      return { length: (await file.stat()).size, hash: hash.copy().digest("hex") };
    },
    close: () => file.close(),
  };
}

/** The SHA-256 of the log's first `length` bytes; undefined when it is shorter. */
export async function hashOfLog(run: string, length: number): Promise<string | undefined> {
  const bytes = await readBytes(join(run, EVENTS_FILE), { atMost: MOST_BYTES.log }).catch(() => Buffer.alloc(0));
  return bytes.length < length ? undefined : createHash("sha256").update(bytes.subarray(0, length)).digest("hex");
}
