/** Files of prompts are JSON, or text with one a line; which of both is seen from how they begin. */

/** Whether a text begins as JSON does: "[V] dog" and "{class} on the beach" are lines of text. */
export function looksLikeJson(text: string): boolean {
  return /^\s*(?:\{\s*["}]|\[\s*["\][{])/.test(text);
}

/** A line ends where Unicode says that one has to (UAX 14, BK, CR, LF and NL): at \n, \r, both, \v, \f, U+0085, U+2028 and U+2029. */
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/** The lines that hold something, without the white space around them. */
export function linesOf(text: string): string[] {
  return text
    .split(LINE_END)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** All lines of a list that programs write, empty ones too, as Python's open() divides them; what follows the last end is none if it is empty. */
export function everyLine(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
