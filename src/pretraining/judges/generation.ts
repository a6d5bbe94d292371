import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { openTextEncoder } from "../../checkpoints/text-encoder.ts";
import { createGenerator } from "../../diffusion/text-to-image.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import { meanOf } from "../../evaluation/features.ts";
import type { Image } from "../../images/image.ts";
import { toImage } from "../../images/pixels.ts";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { withResources } from "../../runtime/resources.ts";
import { unstack } from "../../tensor/tensor.ts";
import { pixelBatch } from "../pixels.ts";

export interface DrawOptions {
  readonly prompts: readonly string[];
  readonly steps: number;
  readonly guidance: number;
  readonly batch: number;
  readonly session: SessionOptions;
  /** Told after each denoising step how many pictures' steps are done, and of how many. */
  readonly onStep?: (done: number, total: number) => void;
}

/** One picture for each prompt, from the seeds 0, 1, ... @param folder a diffusers folder */
export async function drawPictures(folder: string, options: DrawOptions): Promise<Image[]> {
  const { prompts, session, steps, guidance, batch, onStep } = options;
  const model = await openStableDiffusion(folder);
  const unet = { config: model.unet.config, weights: await model.unet.load() };
  const { scheduler } = model;
  return withResources(async (own) => {
    const encoder = own(await openTextEncoder(model, session));
    const vae = own(createVaeCodec({ config: model.vae.config, weights: await model.vae.load(), session }));
    const generator = own(createGenerator({ unet, vae, scheduler, session }));
    const pictures = await generator.generate({
      prompts: await encoder.encode(prompts),
      negative: await encoder.encodeNegative(undefined),
      starts: prompts.map((_, seed) => seed),
      sampler: "dpm",
      steps,
      guidanceScale: guidance,
      height: model.resolution,
      width: model.resolution,
      batch,
      onStep,
    });
    return pictures.map(toImage);
  });
}

/** Peak signal to noise ratios in dB, 10 log₁₀(255² / mean squared error). */
export interface Psnr {
  /** The mean of the pictures' own. */
  readonly mean: number;
  /** Of all pixels of all pictures together: the worst pictures count most. */
  readonly pooled: number;
}

/** How well pictures come back from the VAE of a diffusers folder. */
export async function reconstructionPsnr(
  folder: string,
  images: readonly Image[],
  session: SessionOptions,
): Promise<Psnr> {
  const { vae } = await openStableDiffusion(folder);
  const weights = await vae.load();
  const decoded = await withResources(async (own) => {
    const codec = own(createVaeCodec({ config: vae.config, weights, session }));
    const { mean } = await codec.encode(pixelBatch(images.map(({ data }) => data)));
    return unstack(await codec.decode(mean));
  });
  const errors = decoded.map((tensor, i) => {
    const back = toImage({ ...tensor, data: tensor.data.map((x) => x / 2 + 0.5) });
    let sum = 0;
    back.data.forEach((value, j) => (sum += (value - images[i].data[j]) ** 2));
    return sum / back.data.length;
  });
  const decibels = (error: number) => 10 * Math.log10(255 ** 2 / error);
  return { mean: meanOf(errors, decibels), pooled: decibels(meanOf(errors, (error) => error)) };
}
