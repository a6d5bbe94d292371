import { loadFor, whereOf } from "../checkpoints/part.ts";
import type { StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { createGenerator } from "../diffusion/text-to-image.ts";
import { createVaeCodec } from "../diffusion/vae-codec.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import type { RunControl } from "../runs/events.ts";
import type { Own } from "../runtime/resources.ts";
import { workspaceOf, type SessionOptions } from "../runtime/session-options.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { createImageSampler, type ImageSampler } from "../training/image-sampler.ts";
import type { RunPrompts } from "../training/prompts.ts";
import { createSwap } from "./swap.ts";
import { createTexts } from "./texts.ts";
import type { Trained } from "./trained.ts";
import type { Message } from "../system/named-setting.ts";

/** Draws with one checkpoint after the other. */
export interface Drawing {
  /** A sampler of the starting model with a checkpoint in it, until the next is asked for. @param trained undefined: the starting model */
  with(trained: Trained | undefined): Promise<ImageSampler>;
  /** How often the starting model's U-Net and text encoders were read from the disk. */
  loads(): { readonly unet: number; readonly texts: number };
}

/** Loads the starting model once; checkpoints are put into its weights where they lie. @throws ModelError on damaged files */
export async function openDrawing(
  model: StableDiffusion,
  { settings, prompts }: { readonly settings: TrainSettings; readonly prompts: RunPrompts },
  own: Own,
  control: Pick<RunControl, "emit" | "signal">,
): Promise<Drawing> {
  const { threads, device, precision, memory, resolution } = settings;
  const session: SessionOptions = { threads, device, precision, workspace: workspaceOf(memory) };
  const warn = (text: Message) => control.emit({ type: "warning", text });
  // those of a training with these prompts, so that its texts have as many parts
  const all = [prompts.plain, ...prompts.training, ...prompts.validation].map(({ text }) => text);
  const texts = createTexts(model, [...all, ""], session, { own, warn });
  const load = () => loadFor(precision, model.unet, "lora");
  const weights = await load();
  const unetSwap = createSwap(weights, load, session);
  const vaeWeights = await model.vae.load();
  const vaeSwap = createSwap(vaeWeights, () => model.vae.load(), session);
  const { config } = model.vae;
  const vae = own(createVaeCodec({ config, weights: vaeWeights, session, name: whereOf(model.vae) }));
  const unet = { config: model.unet.config, weights, name: whereOf(model.unet) };
  const generator = own(createGenerator({ unet, vae, scheduler: model.scheduler, session }));
  const side = resolution / pixelsPerLatent(config);
  let hasOwnVae = false;
  return {
    async with(trained) {
      const embeddings = await texts.embed(trained);
      if (trained?.kind === "model") {
        await vaeSwap.replace(() => trained.model.vae.load());
        await unetSwap.replace(() => loadFor(precision, trained.model.unet, "lora"));
        hasOwnVae = true;
      } else {
        if (hasOwnVae) await vaeSwap.update([]);
        hasOwnVae = false;
        if (trained?.kind === "unet") await unetSwap.replace(() => loadFor(precision, trained.unet, "lora"));
        else await unetSwap.update(trained?.updates.get("unet") ?? []);
      }
      return createImageSampler(generator, settings, side, embeddings, control);
    },
    loads: () => ({ unet: unetSwap.loads, texts: texts.loads() }),
  };
}
