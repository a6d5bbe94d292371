import { withEmbeddings } from "../checkpoints/embeddings/embed.ts";
import type { Embedding } from "../checkpoints/embeddings/fit.ts";
import { TEXT_PARTS } from "../checkpoints/lora-files/keys.ts";
import { whereOf } from "../checkpoints/part.ts";
import type { StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { createTextEncoder, type LoadedTextModel } from "../diffusion/text-encoding.ts";
import { withResources, type Own } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { Embeddings } from "../training/image-sampler.ts";
import { embedAll, embedWith } from "../training/run-texts.ts";
import { createSwap, type Swap } from "./swap.ts";
import type { Trained } from "./trained.ts";

/** What the U-Net reads of the prompts, with each checkpoint's text encoders. */
export interface Texts {
  /** @param trained undefined: the starting model */
  embed(trained: Trained | undefined): Promise<Embeddings>;
  /** How often the starting model's text encoders were read. */
  loads(): number;
}

/** Text encoders that stay, to be changed in place. */
interface Resident {
  readonly swaps: readonly Swap[];
  embed(embeddings: readonly Embedding[]): Promise<Embeddings>;
}

/**
 * The texts of a run. Most checkpoints leave the text encoders as they are: they are read once then, and let go; from the first that changes
 * them on they stay.
 */
export function createTexts(
  model: StableDiffusion,
  texts: readonly string[],
  session: SessionOptions,
  { own, warn }: { readonly own: Own; readonly warn: (text: string) => void },
): Texts {
  let plain: Embeddings | undefined;
  let resident: Resident | undefined;
  let loads = 0;
  const stay = async (): Promise<Resident> => {
    const loaded: LoadedTextModel[] = [];
    const swaps: Swap[] = [];
    for (const part of model.textEncoders) {
      const weights = await part.load();
      swaps.push(createSwap(weights, () => part.load(), { ...session, precision: "float32" }));
      loaded.push({ ...part, weights, name: whereOf(part) });
    }
    loads++;
    const { zerosWithoutNegative } = model;
    const encoder = own(await createTextEncoder({ models: loaded, zerosWithoutNegative, session }));
    return {
      swaps,
      async embed(embeddings) {
        encoder.clear();
        if (embeddings.length === 0) return embedWith(encoder, texts);
        // words of a file's own make the vocabulary longer: a graph of its own
        return withResources(async (mine) => {
          const models = loaded.map((each, i) => withEmbeddings(each, embeddings, i));
          return embedWith(mine(await createTextEncoder({ models, zerosWithoutNegative, session })), texts);
        });
      },
    };
  };
  return {
    async embed(trained) {
      const changesTexts =
        trained?.kind === "model" ||
        (trained?.kind === "lora" &&
          (trained.embeddings.length > 0 || TEXT_PARTS.some((part) => trained.updates.has(part))));
      if (!changesTexts) {
        if (plain === undefined) {
          plain = await embedAll(model, texts, session, warn);
          loads++;
        }
        return plain;
      }
      resident ??= await stay();
      for (const [i, swap] of resident.swaps.entries()) {
        if (trained.kind === "model")
          await swap.replace((): Promise<ReadonlyMap<string, Float32Tensor>> => trained.model.textEncoders[i].load());
        else await swap.update(trained.updates.get(TEXT_PARTS[i]) ?? []);
      }
      return resident.embed(trained.kind === "lora" ? trained.embeddings : []);
    },
    loads: () => loads,
  };
}
