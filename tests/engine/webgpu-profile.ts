import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { compileTextModel } from "../../src/diffusion/text-encoding.ts";
import { createUnetRunner } from "../../src/diffusion/unet-runner.ts";
import { createVaeCodec } from "../../src/diffusion/vae-codec.ts";
import { createAdamW } from "../../src/nn/adamw.ts";
import { compile } from "../../src/runtime/compile.ts";
import { BACKENDS } from "../../src/runtime/backends/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { feeds, valuesOf, withGradients } from "./gradient-check.ts";
import { profile, type Profile } from "./node-places.ts";
import { cases, CPU_ONLY } from "./op-cases.ts";

/**
 * A program: prints where WebGPU's engine ran the nodes of each piece of work but training: {@link Profile}s by the work's name as JSON. The
 * argument is a checkpoint's folder.
 */

const session = { threads: 1, device: "webgpu" } as const;

/** What has no kernel on WebGPU and is only needed in pretraining, on the CPU: LogSoftmax, and Sign in relu's gradient. */
const LEFT_TO_CPU = new Set([...CPU_ONLY, "logSoftmax", "relu"]);

async function runOps(): Promise<void> {
  for (const [, [each]] of Object.entries(cases).filter(([name]) => !LEFT_TO_CPU.has(name))) {
    const rng = new Random(1);
    const compiled = await compile(withGradients(each, rng, BACKENDS.webgpu.dialect).outputs, session);
    await compiled.run(feeds(valuesOf(each, rng)));
    await compiled.release();
  }
}

/** Tensors of sizes as a LoRA has them, and one of a layer's weights. */
async function update(): Promise<void> {
  const shapes = [[2, 320], [320, 2], [320], [640, 320]];
  const start = new Map(shapes.map((shape, i) => [`w${i}`, new Random(i).normal(shape)]));
  const optimizer = await createAdamW(start, session);
  await optimizer.step({ learningRate: 1e-3 });
  await optimizer.release();
}

const rng = new Random(3);
const model = await openStableDiffusion(process.argv[2]);
const { latentChannels, inChannels } = model.vae.config;

async function sample(): Promise<void> {
  const { config } = model.unet;
  const unet = createUnetRunner({ config, weights: await model.unet.load(), session });
  const text = rng.normal([2, 8, config.crossAttentionDim]);
  await unet.predict({ sample: rng.normal([2, config.inChannels, 8, 8]), timestep: float32([500, 500], [2]), text });
  await unet.release();
}

async function codec(way: "encode" | "decode"): Promise<void> {
  const { config } = model.vae;
  const vae = createVaeCodec({ config, weights: await model.vae.load(), session });
  if (way === "encode") await vae.encode(rng.normal([1, inChannels, 32, 32]));
  else await vae.decode(rng.normal([1, latentChannels, 16, 16]));
  await vae.release();
}

async function encodeText(): Promise<void> {
  const [encoder] = model.textEncoders;
  const compiled = await compileTextModel({ ...encoder, weights: await encoder.load() }, 8, session);
  await compiled.run(Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  await compiled.release();
}

const works: Record<string, () => Promise<void>> = {
  "ops and their gradients": runOps,
  "an update by AdamW": update,
  "a sampling step": sample,
  "decoding latents": () => codec("decode"),
  "encoding a photo": () => codec("encode"),
  "encoding a text": encodeText,
};
const profiles: Record<string, Profile> = {};
for (const [name, work] of Object.entries(works)) [, profiles[name]] = await profile(work);
process.stdout.write(JSON.stringify(profiles));
