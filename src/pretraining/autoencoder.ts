import { Graph } from "../graph/graph.ts";
import { add, exp, mean, mul, sub } from "../graph/ops/index.ts";
import { parseVaeConfig } from "../models/vae/config.ts";
import { decodeVae, encodeVae } from "../models/vae/vae.ts";
import { rootScope } from "../nn/scope.ts";
import { Random } from "../tensor/random.ts";
import { zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { FRAME } from "../world/compose.ts";
import { fidelityOf } from "./fidelity.ts";
import { initialWeights } from "./initial.ts";
import type { Course, Weights } from "./loop.ts";
import type { PictureSet } from "./pictures.ts";
import { cropInto } from "./pixels.ts";
import { VAE_CONFIG, type AutoencoderRecipe } from "./recipes.ts";

export interface AutoencoderOptions {
  readonly name: string;
  readonly recipe: AutoencoderRecipe;
  readonly pictures: PictureSet;
  /** Instead of the recipe's. */
  readonly steps?: number;
  /** Where it begins, if not from nothing. */
  readonly initial?: Weights;
}

/** A course of the VAE: pictures through latents drawn from their distribution, and back. */
export function autoencoderCourse(options: AutoencoderOptions): Course {
  const { name, recipe, pictures, steps = recipe.steps } = options;
  const { batch, crop } = recipe;
  const config = parseVaeConfig(VAE_CONFIG, name);
  const graph = new Graph();
  const side = crop / 4;
  const pixels = graph.input("pixels", [batch, 3, crop, crop]);
  const noise = graph.input("noise", [batch, config.latentChannels, side, side]);
  const scope = rootScope(graph);
  const { mean: mu, logvar } = encodeVae(scope, config, pixels);
  const latents = add(mu, mul(exp(mul(logvar, 0.5)), noise));
  const decoded = decodeVae(scope, config, latents);

  const { fidelity, square } = fidelityOf(decoded, pixels, recipe);
  // KL(N(μ, σ²) ‖ N(0, 1)) = (μ² + σ² - 1 - ln σ²) / 2
  const kl = mul(mean(sub(add(mul(mu, mu), exp(logvar)), add(logvar, 1))), 0.5);
  return {
    name,
    initial: options.initial ?? initialWeights(graph, new Random(0).split(name)),
    results: { loss: add(fidelity, mul(kl, recipe.klWeight)), square, kl },
    steps,
    rate: recipe.rate,
    feeds(step) {
      const rng = new Random(1).split(name, step);
      const chosen = Array.from({ length: batch }, () => pictures.pixels(rng.integer(pictures.count)));
      return {
        pixels: cropped(chosen, crop, rng),
        noise: rng.split("noise").normal(noise.shape),
      };
    },
  };
}

/** A square of each picture, flipped or not: [B, 3, side, side] in [-1, 1]. */
function cropped(pictures: readonly Uint8Array[], side: number, rng: Random): Float32Tensor {
  const out = zeros([pictures.length, 3, side, side]);
  pictures.forEach((picture, item) => {
    const [left, top] = [rng.integer(FRAME - side + 1), rng.integer(FRAME - side + 1)];
    cropInto(out, item, picture, { left, top, flip: rng.bernoulli(0.5) });
  });
  return out;
}
