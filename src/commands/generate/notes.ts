import { unusedWords } from "../../checkpoints/embeddings/embed.ts";
import type { Embedding } from "../../checkpoints/embeddings/fit.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { oddityNotes, withoutTokenNote } from "../../text/prompt-notes.ts";
import { countsTexts } from "./photo.ts";
import type { GenerateSettings } from "./request.ts";

/** What to say of prompts before pictures are drawn: lines for people, none where a photo alone counts. */

type Texts = Pick<GenerateSettings, "prompts" | "negative" | "promptWeights" | "token" | "photo">;

/** What to say of prompts that mean something else to other programs, or not the subject of the adapter. */
export function drawingNotes({ prompts, negative, promptWeights, token, photo }: Texts): string[] {
  if (!countsTexts(photo)) return [];
  const use = { token: token ?? TRAIN_DEFAULTS.token, weights: promptWeights };
  const lacking = token === undefined ? undefined : withoutTokenNote(prompts, token);
  return [...oddityNotes([...prompts, negative ?? ""], use), ...(lacking === undefined ? [] : [lacking])];
}

/** What to say of words that are there and stand in no prompt. */
export function unusedWordNotes({ prompts, negative, photo }: Texts, embeddings: readonly Embedding[]): string[] {
  const unused = countsTexts(photo) ? unusedWords(embeddings, [...prompts, negative ?? ""]) : [];
  return unused.map(({ path, word }) => `${path}: its word, ${word}, is in no prompt: it changes nothing`);
}
