/** A prompt without the identifier, wherever it stands. */
export function withoutIdentifier(prompt: string, token: string): string {
  return tidy(prompt.replaceAll(token, ""));
}

/** Text with single spaces between its words. */
export function tidy(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
