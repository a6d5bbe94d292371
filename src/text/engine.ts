import { Tokenizer } from "@huggingface/tokenizers";

/** Text to words, words to the vocabulary's tokens. */
export interface Engine {
  readonly vocabulary: ReadonlyMap<string, number>;
  tokenize: (normalizedText: string) => string[];
}

/** The parts of the library's Tokenizer in use: its own declarations omit file extensions, which NodeNext cannot resolve. */
interface LibraryTokenizer {
  readonly pre_tokenizer: { pre_tokenize(text: string): string[] };
  readonly model: { encode(words: string[]): string[]; readonly tokens_to_ids: Map<string, number> };
}
const LibraryTokenizer = Tokenizer as unknown as new (tokenizerJson: object, config: object) => LibraryTokenizer;

/** An engine from the `pre_tokenizer` and `model` parts of a tokenizer.json. */
export function createEngine(preTokenizer: object, model: object): Engine {
  const { pre_tokenizer, model: tokens } = new LibraryTokenizer(
    { added_tokens: [], normalizer: null, pre_tokenizer: preTokenizer, model, post_processor: null, decoder: null },
    {},
  );
  return {
    vocabulary: tokens.tokens_to_ids,
    tokenize: (normalizedText) => tokens.encode(pre_tokenizer.pre_tokenize(normalizedText)),
  };
}
