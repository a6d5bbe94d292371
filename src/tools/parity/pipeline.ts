import { loadAdapted } from "../../checkpoints/adapted-unet.ts";
import { joinEmbeddings } from "../../checkpoints/embeddings/fit.ts";
import { readWordsOf } from "../../checkpoints/embeddings/read.ts";
import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { mergeUpdates } from "../../checkpoints/lora-files/merge.ts";
import { openTextEncoder, type AdaptText } from "../../checkpoints/text-encoder.ts";
import { samplerNames, type SamplerName } from "../../diffusion/create.ts";
import { createGenerator } from "../../diffusion/text-to-image.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import { pixelsPerLatent } from "../../models/vae/config.ts";
import { withResources } from "../../runtime/resources.ts";
import { unstack } from "../../tensor/tensor.ts";
import { floatsOf, SESSION, settingOf, type ParityCase, type Solver } from "./case.ts";

/** A prompt and noise to a picture; `adapter` in case.json is the path of a LoRA's, a fine-tuned U-Net's, a word's or a merge's folder. */
export const solvePipeline: Solver = async (parityCase) => {
  const model = await openStableDiffusion(parityCase.checkpoint);
  const { scheduler } = model;
  const { adapter: given, negative } = parityCase.settings;
  const adapter = typeof given === "string" ? given : undefined;
  const { texts, ...adapted } = await loadAdapted(model, adapter, (unet) => unet.load());
  const adapt: AdaptText = (weights, part) => mergeUpdates(weights, texts?.get(part) ?? [], 1, SESSION);
  const embeddings = adapter === undefined ? [] : joinEmbeddings(await readWordsOf(adapter, model));
  const latents = floatsOf(parityCase, "latents");
  const [, , height, width] = latents.shape;
  const factor = pixelsPerLatent(model.vae.config);
  return withResources(async (own) => {
    const encoder = own(await openTextEncoder(model, SESSION, { adapt, embeddings }));
    const vae = own(createVaeCodec({ config: model.vae.config, weights: await model.vae.load(), session: SESSION }));
    const unet = { config: model.unet.config, ...adapted };
    const generator = own(createGenerator({ unet, vae, scheduler, session: SESSION }));
    const [image] = await generator.generate({
      prompts: await encoder.encode([settingOf(parityCase, "prompt", "string")]),
      negative: await encoder.encodeNegative(typeof negative === "string" ? negative : undefined),
      starts: unstack(latents),
      sampler: samplerOf(parityCase),
      steps: settingOf(parityCase, "steps", "number"),
      guidanceScale: settingOf(parityCase, "guidance", "number"),
      height: height * factor,
      width: width * factor,
    });
    return new Map([["image", image]]);
  });
};

function samplerOf(parityCase: ParityCase): SamplerName {
  const name = settingOf(parityCase, "sampler", "string");
  const found = samplerNames.find((known) => known === name);
  if (found === undefined)
    throw new Error(`${parityCase.name}: sampler ${name}, expected one of ${samplerNames.join(", ")}`);
  return found;
}
