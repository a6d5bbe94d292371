import type { PromptedPicture } from "./events.ts";

/** What a picture is shown under: its prompt, of several subjects with the identifier, without which two of a class would look alike. */
export function shownPrompt({ prompt, text, subject }: Pick<PromptedPicture, "prompt" | "text" | "subject">): string {
  return subject === undefined ? prompt : (text ?? prompt);
}
