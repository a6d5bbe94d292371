import { constants } from "node:fs";
import { open, rm, stat, type FileHandle } from "node:fs/promises";
import { ModelError } from "../system/errors.ts";
import { cannotWrite } from "../system/files.ts";
import type { HubAnswer } from "./answers.ts";
import { checkStopped, DownloadStopped, Unreachable } from "./errors.ts";
import { TRIES, type Client } from "./http.ts";
import { paceOver } from "./pace.ts";

/** Bytes of a file on a server: all of them, or some. */
export interface Stretch {
  readonly client: Client;
  /** A path at the client's endpoint, or an address. */
  readonly url: string | URL;
  /** What it is, for messages: "owner/name: unet/model.safetensors". */
  readonly what: string;
  /** Where it begins in the file; 0 by default. */
  readonly begin?: number;
  /** How many bytes. */
  readonly size: number;
  /** How many the whole file has, if that is more. */
  readonly total?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told how much is there; less than before where a server makes us begin again. */
  readonly onBytes: (done: number) => void;
}

/** A connection that brings less than this counts as a failed try. */
const HEADWAY = 64 * 2 ** 10;
/** The time over which a download's speed is measured, in units of the longest silence: a minute. */
const SILENCES_A_PACE = 2;

/**
 * Fetches until the partial file has its size, beginning after what is in it already. Bytes are written at their places and the file is
 * never cut. What they are is not checked.
 * @throws Unreachable, DownloadStopped, ModelError; Error when the disk does not take it
 */
export async function fetchStretch(partial: string, stretch: Stretch): Promise<void> {
  const { client, url, what, size, begin = 0, total = size, signal, onBytes } = stretch;
  if ((await sizeOf(partial)) > size) await rm(partial);
  const target = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o666);
  try {
    let done = await sizeOf(partial);
    let furthest = done;
    for (let tries = 1; done < size;) {
      checkStopped(signal);
      onBytes(done);
      try {
        // sizes and ranges are those of the file as it is
        const headers = { "accept-encoding": "identity", ...rangeOf({ begin, size, total, done }) };
        const answer = await client.open(url, { what, headers, patient: true });
        done = startOf(answer, { what, name: client.name, begin, size, total, done });
        const pace = paceOver(SILENCES_A_PACE * client.silenceMs);
        for await (const part of answer.body as AsyncIterable<Buffer>) {
          if (done + part.byteLength > size)
            throw new ModelError(`${what}: ${client.name} sends more than the ${size} bytes it told of`);
          await writeAt(target, part, done).catch((error: unknown) => {
            throw cannotWrite(partial, error);
          });
          done += part.byteLength;
          onBytes(done);
          if (pace.isTooSlow(part.byteLength)) throw new InDrops();
        }
        if (done < size) throw new CutShort();
      } catch (error) {
        if (signal?.aborted === true) throw new DownloadStopped();
        if (!isPassing(error)) throw error;
        // a server that begins again each time, or ends after a few bytes, makes no headway
        tries = done >= furthest + HEADWAY ? 1 : tries + 1;
        furthest = Math.max(furthest, done);
        if (tries > TRIES)
          throw new Unreachable(
            error instanceof InDrops
              ? `${what}: the download is too slow, ${done} of ${size} bytes so far; try again later`
              : `${what}: the download was cut short again and again; try again later`,
            { cause: error },
          );
        await client.pause(tries);
      }
    }
    await target.sync();
  } finally {
    await target.close();
  }
}

/** How much of a file there is; 0 where there is none. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

interface Place {
  readonly begin: number;
  readonly size: number;
  readonly total: number;
  readonly done: number;
}

/** A whole file is asked for without a range, which not every server knows. */
function rangeOf({ begin, size, total, done }: Place): { range?: string } {
  if (size < total) return { range: `bytes=${begin + done}-${begin + size - 1}` };
  return done > 0 ? { range: `bytes=${done}-` } : {};
}

interface Asked extends Place {
  readonly what: string;
  readonly name: string;
}

/** Where in the stretch an answer begins. A server that knows no ranges sends everything. @throws ModelError, the body given up */
function startOf(answer: HubAnswer, asked: Asked): number {
  const problem = problemOf(answer, asked);
  if (problem === undefined) return answer.status === 200 ? 0 : asked.done;
  answer.body.on("error", () => undefined).destroy();
  throw new ModelError(`${asked.what}: ${asked.name} sends ${problem}`);
}

function problemOf({ status, headers }: HubAnswer, { begin, size, total, done }: Asked): string | undefined {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") return `it as ${encoding}, which was not asked for`;
  if (status === 200 && size === total) {
    const length = headers["content-length"];
    return length === undefined || Number(length) === size ? undefined : `${length} bytes, and told of ${size}`;
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers["content-range"] ?? "");
  if (range !== null && Number(range[1]) === begin + done && (range[2] === "*" || Number(range[2]) === total))
    return undefined;
  return `${headers["content-range"] ?? "no range"}, expected bytes ${begin + done}-${begin + size - 1}/${total}`;
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength;)
    at += (await file.write(bytes, at, bytes.byteLength - at, position + at)).bytesWritten;
}

/** An answer that ended before its time, */
class CutShort extends Error {}
/** or was given up because hardly anything came. */
class InDrops extends CutShort {}

/** Whether to go on: after what happens to a connection, whose errors have codes, not after what the disk or the server says. */
function isPassing(error: unknown): boolean {
  return error instanceof CutShort || (error instanceof Error && "code" in error);
}
