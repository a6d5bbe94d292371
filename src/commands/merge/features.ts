import { endToken } from "../../checkpoints/embeddings/embed.ts";
import type { LoadedTextModel, TextEncoder } from "../../diffusion/text-encoding.ts";
import { float32, type Float32Tensor } from "../../tensor/tensor.ts";

/** Texts that begin so begin, for the merge, behind it. */
const OPENING = "a photo of";

/**
 * What the text encoder makes of texts, as the authors' merge takes it: of each the tokens from the first to the one that ends it, without
 * those of "a photo of".
 * @param model one of the encoder's, whose tokens are counted
 * @returns [n, D]
 */
export async function tokenFeatures(
  texts: readonly string[],
  encoder: TextEncoder,
  model: Pick<LoadedTextModel, "config" | "tokenizer" | "weights">,
  onText: (done: number) => void = () => undefined,
): Promise<Float32Tensor> {
  const rows: Float32Array[] = [];
  // without what begins and ends every text; 3 in CLIP's own vocabulary
  const opening = model.tokenizer.encode(OPENING).ids.indexOf(endToken(model), 1) - 1;
  let width = 0;
  for (const [i, text] of texts.entries()) {
    onText(i);
    const [{ states }] = await encoder.encode([text]);
    const { ids } = model.tokenizer.encode(text);
    const end = ids.indexOf(endToken(model), 1);
    const first = 1 + (text.slice(0, 15).includes(OPENING) ? opening : 0);
    width = states.shape[1];
    rows.push(states.data.slice(first * width, (end + 1) * width));
  }
  const data = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    data.set(row, at);
    at += row.length;
  }
  return float32(data, [data.length / width, width]);
}
