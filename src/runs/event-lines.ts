import { decodeText } from "../system/decode-text.ts";
import { UsageError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { parseJson } from "../system/json.ts";
import { followEvents } from "./event-order.ts";
import { parseEvent } from "./event-schema.ts";
import type { RunEvent } from "./events.ts";

/**
 * Reads the lines of a log one after the other.
 * @param path of the log, for messages
 * @returns what takes the next line, without its end, and gives its event; undefined for an empty line. It throws UsageError naming a line that is
 * damaged or does not follow those before it
 */
export function createLineParser(path: string): (line: string | Uint8Array) => RunEvent | undefined {
  const follow = followEvents();
  let number = 0;
  return (given) => {
    number++;
    if (given.length === 0) return undefined;
    const where = `${path}: line ${number}`;
    const line = typeof given === "string" ? given : textOf(given, where);
    const value = jsonOf(line);
    if (value === undefined)
      throw new UsageError(`${where}: expected an event as JSON, got ${JSON.stringify(line.slice(0, 60))}`);
    const event = parseEvent(value, where);
    const problem = follow(event);
    if (problem !== undefined) throw new UsageError(`${where}: ${problem}`);
    return event;
  };
}

/** @throws UsageError for a line that is no text in UTF-8 */
function textOf(line: Uint8Array, where: string): string {
  try {
    return decodeText(line);
  } catch (error) {
    throw new UsageError(`${where}: ${reasonOf(error).replace(/^line 1: /, "")}`, { cause: error });
  }
}

/** Undefined for what is no JSON. */
export function jsonOf(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}
