import type { Random } from "../../../tensor/random.ts";
import { float32, int32, zeros, type Float32Tensor, type Int32Tensor } from "../../../tensor/tensor.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { FRAME } from "../../compose.ts";
import type { Scene } from "../../scene.ts";

/** How far a picture may be moved, in pixels. */
const SHIFT = 4;

/** Pictures as RGB bytes -> [B, 3, 64, 64] in [-1, 1]; with `rng` each is moved a little and turned into its mirror image half the time. */
export function pixelBatch(pictures: readonly Uint8Array[], rng?: Random): Float32Tensor {
  const out = zeros([pictures.length, 3, FRAME, FRAME]);
  const inside = (at: number) => Math.min(FRAME - 1, Math.max(0, at));
  pictures.forEach((picture, item) => {
    const shift = () => (rng === undefined ? 0 : rng.integer(2 * SHIFT + 1) - SHIFT);
    const [dx, dy] = [shift(), shift()];
    const flip = rng?.bernoulli(0.5) ?? false;
    for (let y = 0; y < FRAME; y++)
      for (let x = 0; x < FRAME; x++) {
        const from = (inside(y + dy) * FRAME + inside((flip ? FRAME - 1 - x : x) + dx)) * 3;
        for (let channel = 0; channel < 3; channel++)
          out.data[((item * 3 + channel) * FRAME + y) * FRAME + x] = picture[from + channel] / 127.5 - 1;
      }
  });
  return out;
}

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
