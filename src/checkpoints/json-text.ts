import { ModelError } from "../system/errors.ts";
import { reasonOf, writeFileAtomic } from "../system/files.ts";
import { parseJson } from "../system/json.ts";
import { readText } from "../system/regular-files.ts";

/** What stands for a number in a parsed text, in front of its digits: no file holds such a string. */
const MARK = "\u0000number:";

/**
 * Copies a JSON object with some entries changed, and every number as it is written: Python tells 1.0 from 1, and transformers refuses the
 * one for the other.
 *
 * @throws ModelError when the source is missing or no JSON object
 */
export async function copyJson(
  from: string,
  to: string,
  change: (entries: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  const text = await readText(from).catch((error: unknown) => {
    throw new ModelError(`${from}: ${reasonOf(error)}`, { cause: error });
  });
  await writeFileAtomic(to, changeJson(text, change, from));
}

/** {@link copyJson} on texts. */
export function changeJson(
  text: string,
  change: (entries: Record<string, unknown>) => Record<string, unknown>,
  where: string,
): string {
  // strings match first and stay
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : JSON.stringify(MARK + token),
  );
  let value: unknown;
  try {
    value = parseJson(marked);
  } catch (error) {
    throw new ModelError(`${where}: expected JSON, but ${reasonOf(error)}`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ModelError(`${where}: expected an object`);
  const changed = JSON.stringify(change(value as Record<string, unknown>), undefined, 2);
  return `${changed.replace(/"\\u0000number:([^"]*)"/g, "$1")}\n`;
}
