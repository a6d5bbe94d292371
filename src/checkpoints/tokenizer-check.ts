import { ModelError } from "../system/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/**
 * Whether a text encoder takes what its tokenizer gives.
 * @param name what its part of the configuration is called
 * @throws ModelError naming both numbers
 */
export function checkTokenizer(
  folder: string,
  name: string,
  tokenizer: Pick<Tokenizer, "length" | "vocabularySize">,
  { vocabularySize, positions }: { readonly vocabularySize: number; readonly positions: number },
): void {
  if (tokenizer.vocabularySize > vocabularySize)
    throw new ModelError(
      `${folder}: ${name} vocab_size is ${vocabularySize} but its tokenizer has ${tokenizer.vocabularySize} tokens`,
    );
  if (tokenizer.length > positions)
    throw new ModelError(
      `${folder}: ${name} max_position_embeddings is ${positions} but its tokenizer pads to ${tokenizer.length}`,
    );
}
