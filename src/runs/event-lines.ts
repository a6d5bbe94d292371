import { UsageError } from "../system/errors.ts";
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
export function createLineParser(path: string): (line: string) => RunEvent | undefined {
  const follow = followEvents();
  let number = 0;
  return (line) => {
    number++;
    if (line === "") return undefined;
    const where = `${path}: line ${number}`;
    const value = jsonOf(line);
    if (value === undefined)
      throw new UsageError(`${where}: expected an event as JSON, got ${JSON.stringify(line.slice(0, 60))}`);
    const event = parseEvent(value, where);
    const problem = follow(event);
    if (problem !== undefined) throw new UsageError(`${where}: ${problem}`);
    return event;
  };
}

/** Undefined for what is no JSON. */
export function jsonOf(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}
