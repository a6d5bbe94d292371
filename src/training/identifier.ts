import { escapePattern } from "../system/patterns.ts";

/** A prompt without the identifier, wherever it stands as a word of its own: "sks" is not in "asks". */
export function withoutIdentifier(prompt: string, token: string): string {
  const before = /^[\p{L}\p{N}]/u.test(token) ? "(?<![\\p{L}\\p{N}])" : "";
  const after = /[\p{L}\p{N}]$/u.test(token) ? "(?![\\p{L}\\p{N}])" : "";
  return tidy(prompt.replace(new RegExp(`${before}${escapePattern(token)}${after}`, "gu"), ""));
}

/** Text with single spaces between its words. */
export function tidy(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** The first of a text's words in braces that is filled in by nothing: "{tokn}", "{ class }". */
export function unknownWord(text: string): string | undefined {
  return /\{(?!token\}|class\})\s*[\p{L}\p{N}_-]*\s*\}/u.exec(text)?.[0];
}
