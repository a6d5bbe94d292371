import { oneLine } from "../system/printable.ts";
import { readPlain, type PromptReader } from "../text/prompt-weights.ts";
import type { TextEmbedding, TextEncoder } from "./text-encoding.ts";

/** What pictures are drawn from: of each prompt its embedding, and what guidance steers away from, of as many rows. */
export interface PromptEmbeddings {
  readonly prompts: readonly TextEmbedding[];
  readonly negatives: readonly TextEmbedding[];
}

/**
 * Embeds prompts with a negative text. Each prompt and the negative are padded to as many parts as the longer of the two has, so that a
 * picture depends on its own prompt alone, whatever is drawn beside it.
 */
export async function embedPrompts(
  encoder: TextEncoder,
  {
    prompts,
    negative,
    read = readPlain,
  }: { prompts: readonly string[]; negative: string | undefined; read?: PromptReader },
): Promise<PromptEmbeddings> {
  const least = encoder.partsOf(negative ?? "", read);
  const embedded = await encoder.encode(prompts, { read, parts: least });
  const negatives: TextEmbedding[] = [];
  for (const { states } of embedded)
    negatives.push(await encoder.encodeNegative(negative, { read, parts: states.shape[0] / encoder.partLength }));
  return { prompts: embedded, negatives };
}

/** What to say of prompts that a text encoder reads in several parts, once for all of them; undefined where there are none. */
export function longPromptNote(
  encoder: Pick<TextEncoder, "partsOf" | "partLength">,
  prompts: readonly string[],
  read: PromptReader = readPlain,
): string | undefined {
  const long = [...new Set(prompts)].filter((prompt) => encoder.partsOf(prompt, read) > 1);
  if (long.length === 0) return undefined;
  const [first] = long;
  const room = encoder.partLength - 2;
  const more = long.length === 1 ? "" : `, and ${long.length - 1} more`;
  return `longer than the ${room} tokens that the text encoder reads at once, and read in parts of ${room}: "${oneLine(first, 60)}" (${encoder.partsOf(first, read)} parts)${more}`;
}
