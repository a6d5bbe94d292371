import { Graph, type Value } from "../graph/graph.ts";
import type { VaeConfig } from "../models/vae/config.ts";
import { decodeVae, encodeVae } from "../models/vae/vae.ts";
import { rootScope } from "../nn/scope.ts";
import { compile, type Compiled, type Parameters } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { checkFinite } from "../tensor/finite.ts";
import { float32, sizeOf, zeros, type Float32Tensor, type Shape } from "../tensor/tensor.ts";

/** A normal distribution over a picture's latents, [B, C, h, w] each, not scaled. */
export interface LatentMoments {
  readonly mean: Float32Tensor;
  readonly logvar: Float32Tensor;
}

/** Between pictures and latents. Pictures go through one at a time, so that memory does not grow with their number. */
export interface VaeCodec {
  readonly config: VaeConfig;
  /** @param pixels [B, 3, H, W] in [-1, 1] @throws ModelError unless the sides are multiples of the pixels per latent, and numbers come out */
  encode(pixels: Float32Tensor): Promise<LatentMoments>;
  /** @param latents [B, C, h, w], not scaled @returns [B, 3, H, W], about [-1, 1] @throws ModelError unless numbers come out */
  decode(latents: Float32Tensor): Promise<Float32Tensor>;
  release(): Promise<void>;
}

export interface VaeCodecOptions {
  readonly config: VaeConfig;
  readonly weights: Parameters;
  readonly session: SessionOptions;
  /** Where the weights are, for errors. */
  readonly name?: string | undefined;
}

/** A VAE whose graphs are compiled when a picture of a new size first comes. */
export function createVaeCodec({ config, weights, session, name = "the VAE" }: VaeCodecOptions): VaeCodec {
  const graphs = createCompiledCache<string>();
  const compileFor = async (way: "encode" | "decode", shape: Shape): Promise<Compiled<string>> => {
    const graph = new Graph();
    const input = graph.input("x", shape);
    const scope = rootScope(graph);
    const decoded = () => ({ pixels: decodeVae(scope, config, input) });
    const outputs: Record<string, Value> = way === "encode" ? { ...encodeVae(scope, config, input) } : decoded();
    // a picture's workspace is large, and its turn comes seldom
    return compile(outputs, { ...session, workspace: "returned", parameters: weights });
  };
  const compiled = (way: "encode" | "decode", shape: Shape) =>
    graphs.get(`${way} ${shape.join()}`, () => compileFor(way, shape));

  return {
    config,
    async encode(pixels) {
      const graph = await compiled("encode", [1, ...pixels.shape.slice(1)]);
      const [mean, logvar] = await eachItem(pixels, ["mean", "logvar"], graph);
      for (const { data } of [mean, logvar]) checkFinite(data, name, "the latents of a photo");
      return { mean, logvar };
    },
    async decode(latents) {
      const graph = await compiled("decode", [1, ...latents.shape.slice(1)]);
      const [pixels] = await eachItem(latents, ["pixels"], graph);
      checkFinite(pixels.data, name, "the pixels of a picture");
      return pixels;
    },
    release: () => graphs.release(),
  };
}

/** Latents as the VAE has them, from those that the U-Net works on. */
export function unscaleLatents({ scalingFactor }: VaeConfig, latents: Float32Tensor): Float32Tensor {
  const out = zeros(latents.shape);
  latents.data.forEach((value, i) => (out.data[i] = value / scalingFactor));
  return out;
}

/** Pixels of about [-1, 1] as a picture in [0, 1], as diffusers' `VaeImageProcessor` does it. */
export function toUnitRange(pixels: Float32Tensor): Float32Tensor {
  const out = zeros(pixels.shape);
  pixels.data.forEach((value, i) => (out.data[i] = Math.min(1, Math.max(0, Math.fround(value * 0.5) + 0.5))));
  return out;
}

/** Runs each item of a batch by itself and puts the named outputs together again. */
async function eachItem(
  batch: Float32Tensor,
  names: readonly string[],
  graph: Compiled<string>,
): Promise<Float32Tensor[]> {
  const [count, ...shape] = batch.shape;
  const size = sizeOf(shape);
  const out: Float32Tensor[] = [];
  for (let i = 0; i < count; i++) {
    // a buffer of its own, aligned: results depend on the alignment
    const x = float32(batch.data.slice(i * size, (i + 1) * size), [1, ...shape]);
    const results = await graph.run({ x });
    names.forEach((name, k) => {
      const { data, shape: resultShape } = results[name];
      out[k] ??= zeros([count, ...resultShape.slice(1)]);
      out[k].data.set(data, i * data.length);
    });
  }
  return out;
}
