import { escapePattern } from "../system/patterns.ts";
import { oneLine } from "../system/printable.ts";
import { odditiesOf, type PromptUse } from "./oddities.ts";

const MOST_SHOWN = 60;

/** A line for each kind of oddity in any of the prompts: `"<lora:x>" is read as words; ...`. */
export function oddityNotes(prompts: readonly string[], use: PromptUse): string[] {
  const notes = new Map<string, string>();
  for (const prompt of prompts)
    for (const { found, advice } of odditiesOf(prompt, use))
      if (!notes.has(advice + kindOf(found)))
        notes.set(advice + kindOf(found), `"${oneLine(found, MOST_SHOWN)}" in a prompt ${advice}`);
  return [...notes.values()];
}

/** Signs tell kinds apart whose advice is the same. */
function kindOf(found: string): string {
  return found.replace(/[\p{L}\p{N}\s.]+/gu, "");
}

/** What to say where prompts lack the identifier that a subject is called by; undefined where all have it. */
export function withoutTokenNote(prompts: readonly string[], token: string): string | undefined {
  const lacking = [...new Set(prompts)].filter((prompt) => !prompt.includes(token));
  if (lacking.length === 0) return undefined;
  const more = lacking.length === 1 ? "" : ` (and ${lacking.length - 1} more)`;
  return `without the identifier ${token}, and so not of the subject: "${oneLine(lacking[0], MOST_SHOWN)}"${more}`;
}

/** What is odd in a class word, beside the identifier: lines for people. @param prompt the plain one, filled in */
export function classNotes({
  token,
  class: className,
  prompt,
}: {
  readonly token: string;
  readonly class: string;
  readonly prompt: string;
}): string[] {
  const notes: string[] = [];
  const reads = `: prompts read "${oneLine(prompt, MOST_SHOWN)}"`;
  const itself = `the class "${oneLine(className, MOST_SHOWN)}"`;
  const article = /^(?:an?|the|my|your|this)(?=\s|$)/i.exec(className)?.[0];
  if (article !== undefined) notes.push(`${itself} begins with "${article}"${reads}`);
  const word = new RegExp(`(?<![\\p{L}\\p{N}])${escapePattern(token)}(?![\\p{L}\\p{N}])`, "iu");
  if (word.test(className)) notes.push(`${itself} holds the identifier ${token}${reads}`);
  // of a word for a thing, signs within it are hyphens and apostrophes
  const sign = /\{(?:token|class)\}|(?![-'’&\s])[\p{P}\p{S}]/u.exec(className.replaceAll(token, " "))?.[0];
  if (sign !== undefined && !/\p{So}/u.test(sign)) notes.push(`${itself} holds "${sign}"${reads}`);
  const [, twice] = /(?<![\p{L}\p{N}])([\p{L}\p{N}]+)\s+\1(?![\p{L}\p{N}])/iu.exec(prompt) ?? [];
  if (twice !== undefined && notes.length === 0) notes.push(`"${twice}" stands twice${reads}`);
  return notes;
}
