import type { z } from "zod";
import { ModelError } from "./errors.ts";

/** A class of errors. */
export type Failure = new (message: string, options?: ErrorOptions) => Error;

/** Whether a JSON value is an object, neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of a message about an entry: it may list many keys. */
const MOST_LETTERS = 300;

/** Levels of lists and objects: no file of ours or of a model's comes near it, and whatever walks a value recurses once for each. */
const MOST_LEVELS = 100;

/** `JSON.parse`, but for texts that nest without end. @throws SyntaxError with the line of what is wrong, where JSON.parse tells it */
export function parseJson(text: string): unknown {
  let level = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      // a string: up to the next quote that no backslash is before
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (code === 0x5b || code === 0x7b) {
      if (++level > MOST_LEVELS) throw new SyntaxError(`it nests deeper than ${MOST_LEVELS} levels`);
    } else if (code === 0x5d || code === 0x7d) level--;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw placed(error as SyntaxError, text);
  }
}

/** An error of JSON.parse with a line, from 1, in the place of a position, where it says one; newer Nodes say both. */
function placed(error: SyntaxError, text: string): SyntaxError {
  const place = / (?:in|after) JSON at position (\d+)( \(.*\))?$/.exec(error.message);
  if (place === null) return error;
  const line = text.slice(0, Number(place[1])).split("\n").length;
  return new SyntaxError(`line ${line}: ${error.message.slice(0, place.index)}`, { cause: error });
}

/** {@link parseJson} of what a person wrote: of a name that an object has twice the last would win in silence. @throws SyntaxError */
export function parseOwnJson(text: string): unknown {
  const value = parseJson(text);
  const names: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7b || code === 0x5b) names.push(new Set());
    else if (code === 0x7d || code === 0x5d) names.pop();
    if (code !== 0x22) continue;
    const start = i;
    for (i++; text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    if (!/^\s*:/.test(text.slice(i + 1, i + 1 + MOST_SPACE))) continue;
    const name = String(JSON.parse(text.slice(start, i + 1)));
    if (names.at(-1)?.has(name) === true)
      throw new SyntaxError(`line ${text.slice(0, start).split("\n").length}: ${quoted(name)} for the second time`);
    names.at(-1)?.add(name);
  }
  return value;
}

/** Between a name and its colon. */
const MOST_SPACE = 1000;

function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
}

/**
 * A JSON value in the form that `schema` says.
 *
 * @param where the file and the place in it, for the message
 * @param Failure The error to throw: {@link ModelError} for a model's files, UsageError for the caller's own.
 * @throws Failure naming the first entry that does not fit, and what was expected
 */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown, where: string, Failure: Failure = ModelError): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
  const message = issue.message.replace(/^Invalid input: /, "");
  throw new Failure(
    `${where}: ${key}${message.length > MOST_LETTERS ? `${message.slice(0, MOST_LETTERS)}...` : message}`,
  );
}
