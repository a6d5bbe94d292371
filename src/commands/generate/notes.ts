import { sep } from "node:path";
import { unusedWords } from "../../checkpoints/embeddings/embed.ts";
import type { Embedding } from "../../checkpoints/embeddings/fit.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { oddityNotes, withoutTokenNote } from "../../text/prompt-notes.ts";
import { countsTexts } from "./photo.ts";
import type { GenerateSettings } from "./request.ts";

/** What to say of prompts before pictures are drawn: lines for people, none where a photo alone counts. */

type Texts = Pick<
  GenerateSettings,
  "prompts" | "negative" | "promptWeights" | "token" | "otherTokens" | "photo" | "adapter"
>;

/** What to say of prompts that mean something else to other programs, or not the subject of the adapter. */
export function drawingNotes({ prompts, negative, promptWeights, token, otherTokens = [], photo }: Texts): string[] {
  if (!countsTexts(photo)) return [];
  const use = { token: token ?? TRAIN_DEFAULTS.token, weights: promptWeights };
  const ofNoOther = prompts.filter((prompt) => !otherTokens.some((other) => prompt.includes(other)));
  const lacking = token === undefined ? undefined : withoutTokenNote(ofNoOther, token);
  const texts = [...prompts, negative ?? ""].map((text) =>
    otherTokens.reduce((rest, other) => rest.replaceAll(other, " "), text),
  );
  return [...oddityNotes(texts, use), ...(lacking === undefined ? [] : [lacking])];
}

/** What to say of words that are there and stand in no prompt. */
export function unusedWordNotes(
  { prompts, negative, photo, adapter }: Texts,
  embeddings: readonly Embedding[],
): string[] {
  if (!countsTexts(photo)) return [];
  const texts = [...prompts, negative ?? ""];
  // a model of several subjects has a file for each word in its folder: one in a prompt is enough
  const isOfSeveral = ({ path }: Embedding) => adapter !== undefined && path.startsWith(adapter + sep);
  const several = embeddings.filter(isOfSeveral);
  const isNoneUsed = unusedWords(several, texts).length === several.length;
  const unused = unusedWords(
    embeddings.filter((each) => isNoneUsed || !isOfSeveral(each)),
    texts,
  );
  return unused.map(({ path, word }) => `${path}: its word, ${word}, is in no prompt: it changes nothing`);
}
