import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { createTextEncoder, type LoadedTextModel } from "../../diffusion/text-encoding.ts";
import { createGenerator } from "../../diffusion/text-to-image.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import type { Work } from "./works.ts";

export const drawing: Work = async ({ checkpoint, session }) => {
  const model = await openStableDiffusion(checkpoint);
  const models: LoadedTextModel[] = [];
  for (const part of model.textEncoders) models.push({ ...part, weights: await part.load() });
  const { zerosWithoutNegative, scheduler, resolution } = model;
  const encoder = await createTextEncoder({ models, zerosWithoutNegative, session });
  const vae = createVaeCodec({ config: model.vae.config, weights: await model.vae.load(), session });
  const unet = { config: model.unet.config, weights: await model.unet.load() };
  const generator = createGenerator({ unet, vae, scheduler, session });
  let seed = 0;
  return {
    async run() {
      encoder.clear(); // the peer encodes its texts in every run
      const [prompt] = await encoder.encode(["a photo of a dog"]);
      return generator.generate({
        prompts: [prompt, prompt],
        negative: await encoder.encodeNegative(undefined),
        starts: [seed++, seed++],
        sampler: "dpm",
        steps: 10,
        guidanceScale: 7.5,
        height: resolution,
        width: resolution,
        batch: 2,
      });
    },
    async release() {
      await encoder.release();
      await generator.release();
      await vae.release();
    },
  };
};
