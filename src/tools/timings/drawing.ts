import { loadFor } from "../../checkpoints/part.ts";
import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { openTextEncoder } from "../../checkpoints/text-encoder.ts";
import { createGenerator } from "../../diffusion/text-to-image.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import { assemble } from "../../runtime/resources.ts";
import type { Work } from "./work.ts";

export const drawing: Work = async ({ checkpoint, session }) => {
  const model = await openStableDiffusion(checkpoint);
  const { scheduler, resolution } = model;
  const unet = { config: model.unet.config, weights: await loadFor(session.precision, model.unet) };
  return assemble(async (own, release) => {
    const encoder = own(await openTextEncoder(model, session));
    const vae = own(createVaeCodec({ config: model.vae.config, weights: await model.vae.load(), session }));
    const generator = own(createGenerator({ unet, vae, scheduler, session }));
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
      release,
    };
  });
};
