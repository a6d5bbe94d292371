import { readFile, stat } from "node:fs/promises";
import { Graph } from "../graph/graph.ts";
import { parseVaeConfig } from "../models/vae/config.ts";
import { encodeVae } from "../models/vae/vae.ts";
import { rootScope } from "../nn/scope.ts";
import { compile } from "../runtime/compile.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { withResources } from "../runtime/resources.ts";
import { writeFileAtomic } from "../system/files.ts";
import { float32Array, sizeOf, zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { FRAME } from "../world/compose.ts";
import type { Weights } from "./loop.ts";
import type { PictureSet } from "./pictures.ts";
import { pixelBatch } from "./pixels.ts";
import { VAE_CONFIG } from "./recipes.ts";

/** Latents of one picture. */
export const LATENT_SHAPE = [VAE_CONFIG.latent_channels, FRAME / 4, FRAME / 4] as const;
const LATENT_SIZE = sizeOf(LATENT_SHAPE);

const BATCH = 32;

/** Latent means of a picture set, computed once. */
export interface Latents {
  readonly count: number;
  /** 1 / the standard deviation of all latents, the VAE's `scaling_factor`. */
  readonly scalingFactor: number;
  /** Scaled latents of some pictures, [B, C, h, w]. */
  batch(indices: readonly number[]): Float32Tensor;
}

export interface LatentsOptions {
  readonly path: string;
  readonly pictures: PictureSet;
  readonly vae: Weights;
  readonly session: SessionOptions;
  readonly onProgress?: (done: number, total: number) => void;
  readonly shouldStop?: () => boolean;
}

/** Encodes the pictures, or reads what an earlier call has written. @returns undefined when stopped */
export async function openLatents(options: LatentsOptions): Promise<Latents | undefined> {
  const { path, pictures } = options;
  const bytes = pictures.count * LATENT_SIZE * 4;
  const known = (await stat(path).catch(() => undefined))?.size === bytes;
  const all = known ? await readFloats(path, bytes) : await encodeAll(options);
  if (all === undefined) return undefined;
  if (!known) await writeFileAtomic(path, new Uint8Array(all.buffer));
  const scalingFactor = 1 / deviationOf(all);
  return {
    count: pictures.count,
    scalingFactor,
    batch(indices) {
      const out = zeros([indices.length, ...LATENT_SHAPE]);
      indices.forEach((index, item) => {
        for (let i = 0; i < LATENT_SIZE; i++)
          out.data[item * LATENT_SIZE + i] = all[index * LATENT_SIZE + i] * scalingFactor;
      });
      return out;
    },
  };
}

async function encodeAll(options: LatentsOptions): Promise<Float32Array<ArrayBuffer> | undefined> {
  const { pictures, vae, session, onProgress, shouldStop } = options;
  const graph = new Graph();
  const input = graph.input("pixels", [BATCH, 3, FRAME, FRAME]);
  const { mean } = encodeVae(rootScope(graph), parseVaeConfig(VAE_CONFIG, "vae"), input);
  return withResources(async (own) => {
    const encoder = own(await compile({ mean }, { ...session, parameters: vae }));
    const all = float32Array(pictures.count * LATENT_SIZE);
    for (let start = 0; start < pictures.count; start += BATCH) {
      if (shouldStop?.()) return undefined;
      const count = Math.min(BATCH, pictures.count - start);
      const numbers = Array.from({ length: count }, (_, i) => start + i);
      const { mean: encoded } = await encoder.run({
        pixels: pixelBatch(
          numbers.map((n) => pictures.pixels(n)),
          { rows: BATCH },
        ),
      });
      all.set(encoded.data.subarray(0, count * LATENT_SIZE), start * LATENT_SIZE);
      onProgress?.(start + count, pictures.count);
    }
    return all;
  });
}

async function readFloats(path: string, bytes: number): Promise<Float32Array<ArrayBuffer>> {
  const out = float32Array(bytes / 4);
  new Uint8Array(out.buffer).set(await readFile(path));
  return out;
}

function deviationOf(values: Float32Array): number {
  let [sum, square] = [0, 0];
  for (const value of values) {
    sum += value;
    square += value * value;
  }
  const mean = sum / values.length;
  return Math.sqrt(square / values.length - mean * mean);
}
