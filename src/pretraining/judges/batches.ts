import { float32, int32, type Float32Tensor, type Int32Tensor } from "../../tensor/tensor.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Scene } from "../../world/scene.ts";

/** A text encoder's inputs for texts of at most `length` tokens. */
export interface TokenBatch {
  readonly ids: Int32Tensor;
  /** 1 for tokens and 0 for padding. */
  readonly mask: Float32Tensor;
}

/**
 * Encodes texts, each once however often it comes.
 * @param length tokens that are kept of every encoding: padding beyond the longest text changes nothing
 * @throws RangeError when a text has more tokens
 */
export function createTextBatcher(tokenizer: Tokenizer, length: number): (texts: readonly string[]) => TokenBatch {
  const known = new Map<string, ReturnType<Tokenizer["encode"]>>();
  const encode = (text: string) => {
    const encoding = known.get(text) ?? tokenizer.encode(text);
    if (length < tokenizer.length && encoding.attentionMask[length] === 1)
      throw new RangeError(`"${text}" has more than ${length} tokens`);
    known.set(text, encoding);
    return encoding;
  };
  return (texts) => {
    const encodings = texts.map(encode);
    const rows = (name: "ids" | "attentionMask") =>
      encodings.flatMap((encoding) => [...encoding[name].subarray(0, length)]);
    const shape = [texts.length, length];
    return { ids: int32(rows("ids"), shape), mask: float32(rows("attentionMask"), shape) };
  };
}

/** What a caption says of a scene, whatever its wording: captions with the same key mean the same. */
export function meaningOf({ instance, place, colour, worn, style }: Scene): string {
  return [instance.className, place, colour, worn?.item, worn?.colour, style].join("|");
}
