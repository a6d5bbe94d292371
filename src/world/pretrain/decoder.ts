import { Graph } from "../../graph/graph.ts";
import { parseVaeConfig } from "../../models/vae/config.ts";
import { decodeVae } from "../../models/vae/vae.ts";
import { rootScope } from "../../nn/scope.ts";
import { Random } from "../../tensor/random.ts";
import { zeros } from "../../tensor/tensor.ts";
import { fidelityOf } from "./fidelity.ts";
import { LATENT_SHAPE, type Latents } from "./latents.ts";
import type { Course, Weights } from "./loop.ts";
import type { PictureSet } from "./pictures.ts";
import { cropInto } from "./pixels.ts";
import { DECODER_RECIPE, VAE_CONFIG } from "./recipes.ts";

export interface DecoderOptions {
  readonly pictures: PictureSet;
  /** Of the same pictures. */
  readonly latents: Latents;
  /** The whole autoencoder's weights; its decoder goes on from there. */
  readonly autoencoder: Weights;
  readonly steps?: number;
  readonly batch?: number;
}

/**
 * The decoder's further course, with the encoder as it is: latents that are known already are decoded ever better, and what the
 * denoiser has learnt of them stays true. It sees windows of whole pictures' latents.
 */
export function decoderCourse(options: DecoderOptions): Course {
  const { pictures, latents, autoencoder, steps = DECODER_RECIPE.steps, batch = DECODER_RECIPE.batch } = options;
  const side = DECODER_RECIPE.crop / 4;
  const graph = new Graph();
  const pixels = graph.input("pixels", [batch, 3, side * 4, side * 4]);
  const window = graph.input("latents", [batch, LATENT_SHAPE[0], side, side]);
  const { fidelity, square } = fidelityOf(
    decodeVae(rootScope(graph), parseVaeConfig(VAE_CONFIG, "vae"), window),
    pixels,
  );
  const [channels, height, width] = LATENT_SHAPE;
  return {
    name: "decoder",
    initial: new Map([...autoencoder].filter(([name]) => graph.parameters.has(name))),
    results: { loss: fidelity, square },
    steps,
    rate: DECODER_RECIPE.rate,
    feeds(step) {
      const rng = new Random(4).split("decoder", step);
      const chosen = Array.from({ length: batch }, () => rng.integer(latents.count));
      const whole = latents.batch(chosen);
      const feeds = { pixels: zeros(pixels.shape), latents: zeros(window.shape) };
      chosen.forEach((index, item) => {
        const [left, top] = [rng.integer(width - side + 1), rng.integer(height - side + 1)];
        cropInto(feeds.pixels, item, pictures.pixels(index), { left: left * 4, top: top * 4 });
        for (let channel = 0; channel < channels; channel++)
          for (let y = 0; y < side; y++)
            for (let x = 0; x < side; x++)
              feeds.latents.data[((item * channels + channel) * side + y) * side + x] =
                whole.data[((item * channels + channel) * height + top + y) * width + left + x] / latents.scalingFactor;
      });
      return feeds;
    },
  };
}
