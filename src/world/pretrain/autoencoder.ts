import { Graph, type Value } from "../../graph/graph.ts";
import { add, exp, mean, mul, slice, sqrt, sub } from "../../graph/ops/index.ts";
import { parseVaeConfig } from "../../models/vae/config.ts";
import { decodeVae, encodeVae } from "../../models/vae/vae.ts";
import { rootScope } from "../../nn/scope.ts";
import { Random } from "../../tensor/random.ts";
import { zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { FRAME } from "../compose.ts";
import { initialWeights } from "./initial.ts";
import type { Course, Weights } from "./loop.ts";
import type { PictureSet } from "./pictures.ts";
import { VAE_CONFIG, VAE_RECIPE } from "./recipes.ts";

export interface AutoencoderOptions {
  readonly pictures: PictureSet;
  readonly steps?: number;
  /** Pixels of the crops' sides. */
  readonly crop?: number;
  readonly batch?: number;
  readonly name?: string;
  readonly initial?: Weights;
}

/** The VAE's course: pictures through latents drawn from their distribution, and back. */
export function autoencoderCourse(options: AutoencoderOptions): Course {
  const {
    pictures,
    steps = VAE_RECIPE.steps,
    crop = VAE_RECIPE.crop,
    batch = VAE_RECIPE.batch,
    name = "vae",
  } = options;
  const config = parseVaeConfig(VAE_CONFIG, name);
  const graph = new Graph();
  const side = crop / 4;
  const pixels = graph.input("pixels", [batch, 3, crop, crop]);
  const noise = graph.input("noise", [batch, config.latentChannels, side, side]);
  const scope = rootScope(graph);
  const { mean: mu, logvar } = encodeVae(scope, config, pixels);
  const latents = add(mu, mul(exp(mul(logvar, 0.5)), noise));
  const decoded = decodeVae(scope, config, latents);

  const difference = sub(decoded, pixels);
  const absolute = mean(magnitude(difference));
  const square = mean(mul(difference, difference));
  const edges = add(mean(magnitude(neighbourSteps(difference, 2))), mean(magnitude(neighbourSteps(difference, 3))));
  // KL(N(μ, σ²) ‖ N(0, 1)) = (μ² + σ² - 1 - ln σ²) / 2
  const kl = mul(mean(sub(add(mul(mu, mu), exp(logvar)), add(logvar, 1))), 0.5);
  const fidelity = add(add(absolute, square), mul(edges, VAE_RECIPE.gradientWeight));
  return {
    name,
    initial: options.initial ?? initialWeights(graph, new Random(0).split(name)),
    results: { loss: add(fidelity, mul(kl, VAE_RECIPE.klWeight)), square, kl },
    steps,
    rate: VAE_RECIPE.rate,
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

/** |x|, smooth at zero. */
function magnitude(x: Value): Value {
  return sqrt(add(mul(x, x), 1e-6));
}

/** Differences of neighbours along an axis. */
function neighbourSteps(x: Value, axis: number): Value {
  const size = x.shape[axis];
  return sub(slice(x, axis, 1, size), slice(x, axis, 0, size - 1));
}

/** A square of each picture, flipped or not: [B, 3, side, side] in [-1, 1]. */
function cropped(pictures: readonly Uint8Array[], side: number, rng: Random): Float32Tensor {
  const out = zeros([pictures.length, 3, side, side]);
  pictures.forEach((picture, item) => {
    const [left, top] = [rng.integer(FRAME - side + 1), rng.integer(FRAME - side + 1)];
    const flip = rng.bernoulli(0.5);
    for (let channel = 0; channel < 3; channel++)
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) {
          const from = ((top + y) * FRAME + left + (flip ? side - 1 - x : x)) * 3 + channel;
          out.data[((item * 3 + channel) * side + y) * side + x] = picture[from] / 127.5 - 1;
        }
  });
  return out;
}
