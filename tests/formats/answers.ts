import { TEXT_PARTS } from "../../src/checkpoints/lora-files/keys.ts";
import { mergeUpdates } from "../../src/checkpoints/lora-files/merge.ts";
import { readLoraFile } from "../../src/checkpoints/lora-files/read.ts";
import type { LoraUpdates } from "../../src/checkpoints/lora-files/updates.ts";
import type { StableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { compileTextModel } from "../../src/diffusion/text-encoding.ts";
import { createUnetRunner } from "../../src/diffusion/unet-runner.ts";
import { createVaeCodec } from "../../src/diffusion/vae-codec.ts";
import type { Float32Tensor, Tensor } from "../../src/tensor/tensor.ts";
import { numbers } from "./golden.ts";

const session = { threads: 1 };

export interface Lora {
  readonly path: string;
  readonly weight: number;
}

/** What a model answers on a case's inputs, under the names of the case. */
export async function answers(
  model: StableDiffusion,
  inputs: ReadonlyMap<string, Tensor>,
  loras: readonly Lora[] = [],
): Promise<Map<string, Float32Tensor>> {
  const input = (name: string) => numbers(inputs, `in.${name}`);
  const updates: { readonly weight: number; readonly parts: LoraUpdates }[] = [];
  for (const { path, weight } of loras) updates.push({ weight, parts: await readLoraFile(path, model) });
  const adapted = async (weights: ReadonlyMap<string, Float32Tensor>, part: "unet" | (typeof TEXT_PARTS)[number]) => {
    let out = weights;
    for (const { weight, parts } of updates) out = await mergeUpdates(out, parts.get(part) ?? [], weight, session);
    return out;
  };
  const out = new Map<string, Float32Tensor>();
  for (const [i, text] of model.textEncoders.entries()) {
    const weights = await adapted(await text.load(), TEXT_PARTS[i]);
    const compiled = await compileTextModel({ ...text, weights }, 77, session);
    const { states, pooled } = await compiled.run(Int32Array.from(input("ids").data));
    out.set(`text.${i}`, states);
    if (pooled) out.set("pooled", pooled);
    await compiled.release();
  }
  const unet = createUnetRunner({
    config: model.unet.config,
    weights: await adapted(await model.unet.load(), "unet"),
    session,
  });
  const added = model.family === "sdxl" && { added: { pooled: input("pooled"), timeIds: input("time_ids") } };
  out.set(
    "unet",
    await unet.predict({ sample: input("sample"), timestep: input("timestep"), text: input("text"), ...added }),
  );
  await unet.release();
  const vae = createVaeCodec({ config: model.vae.config, weights: await model.vae.load(), session });
  out.set("decoded", await vae.decode(input("latents")));
  out.set("mean", (await vae.encode(input("pixels"))).mean);
  await vae.release();
  return out;
}
