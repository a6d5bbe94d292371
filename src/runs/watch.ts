import { createHash } from "node:crypto";
import { stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../system/errors.ts";
import { readFully, reasonOf } from "../system/files.ts";
import { MOST_BYTES, withRegular } from "../system/regular-files.ts";
import { createBell, NO_BELL } from "./bell.ts";
import { createLineParser } from "./event-lines.ts";
import type { RunEvent } from "./events.ts";
import { EVENTS_FILE } from "./folder.ts";

/** What somebody who follows a run is told. */
export type WatchedEvent =
  | { readonly type: "event"; readonly event: RunEvent }
  | {
      /** The run went on from an earlier state: what was told after that did not happen, and comes again. */
      readonly type: "cut";
      /** How many of the events told so far still hold, from the first on. */
      readonly events: number;
      /** The last step among them; 0 before the first. */
      readonly step: number;
    };

export interface WatchOptions {
  /** Ends the iteration. */
  readonly signal: AbortSignal;
  /** Milliseconds between two looks at the folder. */
  readonly poll?: number;
  /** Whether to have the system tell of changes where it can, and look by oneself seldom there. */
  readonly notify?: boolean;
  /** Told after each look that came to the end of what is written, when all of it has been told. */
  readonly onCaughtUp?: (() => void) | undefined;
}

/**
 * Follows a run while it is written: tells every event that is there, then each new one. The run need not have begun, and the iteration does
 * not end with it, for it may go on later; it ends with the signal.
 *
 * @throws UsageError naming a line that is damaged or does not follow those before it, as readEvents does
 * @example
 * const events: RunEvent[] = [];
 * for await (const news of watchRun("runs/dog", { signal })) {
 *   if (news.type === "cut") events.length = news.events;
 *   else events.push(news.event);
 * }
 */
export async function* watchRun(
  run: string,
  { signal, poll = 500, notify = false, onCaughtUp }: WatchOptions,
): AsyncGenerator<WatchedEvent> {
  const log = followLog(join(run, EVENTS_FILE));
  const bell = notify ? createBell(run, EVENTS_FILE) : NO_BELL;
  try {
    while (!signal.aborted) {
      const { news, more } = await log.look();
      for (const each of news) {
        if (signal.aborted) return;
        yield each;
      }
      if (more) continue;
      onCaughtUp?.();
      await bell.wait(bell.rings() ? Math.max(poll, RINGING_MS) : poll, signal);
    }
  } finally {
    bell.close();
  }
}

/** Between two looks where the system tells of changes, in case it missed one. */
const RINGING_MS = 1000;

/** Bytes that are read at a time; more for a line that is longer. */
const CHUNK = 2 ** 20;

/** Bytes before the place that was read up to that are compared at every look. */
const TAIL = 4096;

/** Bytes of the log that were read, and must still be there. */
interface Landmark {
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * A log, read line by line from the last place on.
 *
 * Only a run that goes on from a saved state changes what was written: it cuts the log and writes what comes after once more, perhaps further
 * than it was. Apart from the last line, which may have said that the run stopped or failed, that is the same but for the times in it. So
 * two places tell whether what was read still stands: its last bytes, and the last line with a time in it, whose digits no two sessions share.
 */
function followLog(path: string) {
  let parse = createLineParser(path);
  /** In bytes: the end of the last line that was read. */
  let position = 0;
  let tail: Landmark | undefined;
  let timed: Landmark | undefined;
  /** Of the lines whose events were told. */
  let hashes: number[] = [];
  /** How many of them have been read since the beginning of the log. */
  let count = 0;
  let step = 0;
  let chunk = CHUNK;
  /** The event that could not be read, for which the log was read from its beginning: it may have been cut meanwhile. */
  let doubted: number | undefined;

  const startAgain = (): void => {
    parse = createLineParser(path);
    [position, count, step] = [0, 0, 0];
    [tail, timed] = [undefined, undefined];
  };
  /** Forgets what was told after the place that was read up to. */
  const cut = (): WatchedEvent[] => {
    if (count === hashes.length) return [];
    hashes = hashes.slice(0, count);
    return [{ type: "cut", events: count, step }];
  };

  /** The next bytes; "changed" when those before them are no longer what was read. */
  async function read(file: FileHandle, size: number): Promise<Buffer | "changed"> {
    if (size < position) return "changed";
    const bytes = Buffer.alloc(Math.min(chunk, size - position));
    if (!(await readFully(file, bytes, position))) return "changed";
    // compared after reading, so that a cut that comes between is seen
    for (const landmark of [tail, timed])
      if (landmark !== undefined && !(await stands(file, landmark))) return "changed";
    return bytes;
  }

  function takeLine(line: Buffer): WatchedEvent[] {
    const event = parse(line);
    if (doubted === count) doubted = undefined;
    if (event === undefined) return [];
    const hash = hashOf(line);
    const news: WatchedEvent[] = hash === hashes.at(count) ? [] : [...cut(), { type: "event", event }];
    hashes[count++] = hash;
    if (event.type === "step") step = event.step;
    if (event.type === "step" || event.type === "start") timed = { offset: position, bytes: Buffer.from(line) };
    return news;
  }

  /** The news of the whole lines, up to the first one that cannot be. */
  function take(bytes: Buffer): { news: WatchedEvent[]; problem?: UsageError } {
    const news: WatchedEvent[] = [];
    const first = position;
    let start = 0;
    for (let end = bytes.indexOf("\n"); end >= 0; end = bytes.indexOf("\n", start)) {
      try {
        news.push(...takeLine(bytes.subarray(start, end)));
      } catch (problem) {
        if (problem instanceof UsageError) return { news, problem };
        throw problem;
      }
      start = end + 1;
      position = first + start;
    }
    const from = Math.max(0, start - TAIL);
    if (start > 0) tail = { offset: first + from, bytes: Buffer.from(bytes.subarray(from, start)) };
    return { news };
  }

  /** The file as it was when it was read to its end: of what has not changed since nothing is read. */
  let unchanged = "";
  const lookOf = async (): Promise<string> => {
    const info = await stat(path).catch(() => undefined);
    return info === undefined ? "" : `${info.ino} ${info.size} ${info.mtimeMs}`;
  };

  return {
    /**
     * Reads the next lines, not all of a long log at once.
     * @returns what is new, and whether to look again at once
     */
    async look(): Promise<{ news: WatchedEvent[]; more: boolean }> {
      const now = await lookOf();
      if (now !== "" && now === unchanged) return { news: [], more: false };
      unchanged = "";
      const bytes = await withRegular(path, { atMost: MOST_BYTES.log }, read).catch((error: unknown) => {
        if (reasonOf(error) === "no such file") return undefined;
        throw new UsageError(`${path}: ${reasonOf(error)}`, { cause: error });
      });
      if (bytes === undefined || bytes === "changed") {
        startAgain();
        return bytes === "changed" ? { news: [], more: true } : { news: cut(), more: false };
      }
      const before = position;
      const { news, problem } = take(bytes);
      if (problem !== undefined) {
        if (doubted === count) throw problem;
        doubted = count;
        startAgain();
        return { news, more: false };
      }
      const more = bytes.length === chunk;
      if (!more) unchanged = now;
      chunk = more && position === before ? 2 * chunk : CHUNK;
      return { news: more ? news : [...news, ...cut()], more };
    },
  };
}

async function stands(file: FileHandle, { offset, bytes }: Landmark): Promise<boolean> {
  const now = Buffer.alloc(bytes.length);
  return (await readFully(file, now, offset)) && now.equals(bytes);
}

/** 48 bits, which a number holds. */
function hashOf(line: Buffer): number {
  return createHash("sha256").update(line).digest().readUIntBE(0, 6);
}
