/** Files of prompts are JSON, or text with one a line; which of both is seen from how they begin. */

/** Without the mark that some editors put at the beginning of a text. */
export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}

/** Whether a text begins as JSON does: "[V] dog" and "{class} on the beach" are lines of text. */
export function looksLikeJson(text: string): boolean {
  return /^\s*(?:\{\s*["}]|\[\s*["\][{])/.test(text);
}

/** The lines that hold something. */
export function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
