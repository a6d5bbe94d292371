import type { LoadedTextModel } from "../../diffusion/text-encoding.ts";
import { UsageError } from "../../system/errors.ts";
import { messageOf, say, setting, textOf } from "../../system/message.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { float32, type Float32Tensor } from "../../tensor/tensor.ts";
import { tableOf } from "../../training/live-texts.ts";
import { vectorsName, type TrainedWords } from "../../training/trained-texts.ts";

type Settings = Pick<TrainSettings, "token" | "class" | "vectors" | "initializer" | "learningRate">;

/**
 * The word that trains. Each of its vectors begins as that of the initial word: the one that is asked for, else the class word, of which the
 * last token is taken where it has several.
 * @throws UsageError where the initial word has several tokens, or the word has more vectors than fit beside it
 */
export function trainedWord(settings: Settings, encoders: readonly LoadedTextModel[]): TrainedWords {
  return trainedWords([settings], encoders);
}

/** Several words that train, as {@link trainedWord} has one, all with as many vectors and at one rate. @throws UsageError */
export function trainedWords(words: readonly Settings[], encoders: readonly LoadedTextModel[]): TrainedWords {
  const [{ vectors, learningRate }] = words;
  const start = new Map<string, Float32Tensor>();
  for (const [i, encoder] of encoders.entries()) {
    const most = encoder.tokenizer.length - 8;
    if (vectors > most)
      throw new UsageError(
        say`${setting("vectors", vectors)}: expected at most ${most}: the text encoder reads ${encoder.tokenizer.length} tokens at once`,
      );
    const { data, shape } = tableOf(encoder);
    const [, features] = shape;
    const all = new Float32Array(words.length * vectors * features);
    for (const [w, word] of words.entries()) {
      const id = words.length === 1 ? initialId(word, encoder) : ofSubject(w, () => initialId(word, encoder));
      const row = data.subarray(features * id, features * (id + 1));
      for (let n = 0; n < vectors; n++) all.set(row, (w * vectors + n) * features);
    }
    start.set(vectorsName(i), float32(all, [words.length * vectors, features]));
  }
  return { words: words.map(({ token }) => token), encoders, group: { name: "word", start, learningRate } };
}

/** What one of several subjects' words makes; where it fails, that is said of the subject. */
function ofSubject<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(say`${setting("concepts")}: subject ${index + 1}: ${textOf(messageOf(error))}`);
  }
}

function initialId(
  { initializer, class: className }: Pick<Settings, "initializer" | "class">,
  { tokenizer }: LoadedTextModel,
): number {
  const ids = tokenizer.ids(initializer ?? className);
  const last = ids.at(-1);
  if (last === undefined)
    throw new UsageError(
      say`${setting("initializer", initializer ?? className)}: expected a word that the model reads`,
    );
  if (initializer !== undefined && ids.length > 1)
    throw new UsageError(
      say`${setting("initializer", initializer)}: expected a word of one token, but the model reads it as ${ids.length}`,
    );
  return last;
}
