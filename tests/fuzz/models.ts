import { join } from "node:path";
import { openAlign, openClip, openDino, type ImageEncoderPart } from "../../src/checkpoints/encoders.ts";
import { readLora, readTargets } from "../../src/checkpoints/lora.ts";
import { readLoraFile } from "../../src/checkpoints/lora-files/read.ts";
import { loadAdapted } from "../../src/checkpoints/adapted-unet.ts";
import { openStableDiffusion, type StableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { createSampler, samplerNames } from "../../src/diffusion/create.ts";
import { noiseSchedule } from "../../src/diffusion/schedule.ts";
import { preprocess } from "../../src/images/processor.ts";
import { readModelDefaults } from "../../src/commands/models/defaults.ts";
import { parseTrain } from "../../src/commands/train/parse.ts";
import { readConfigFile } from "../../src/settings/config-file.ts";
import { ModelError } from "../../src/system/errors.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";
import { filesOf, type Target } from "./target.ts";

/** Readers of models, and of what comes with them. */

const PROMPT = "a photo of a dog, 1990";

const golden = (root: string, path: string) => join(root, "tests/golden", path);

export function modelTargets(root: string): Readonly<Record<string, Target>> {
  const opened = new Map<string, Promise<StableDiffusion>>();
  const model = async (path: string) => {
    const opening = opened.get(path) ?? openStableDiffusion(path);
    opened.set(path, opening);
    return opening;
  };
  const tiny = golden(root, "tiny/checkpoints/sd15-tiny");
  const encoder = (
    path: string,
    open: (folder: string) => Promise<ImageEncoderPart<unknown> & { tokenizer?: Tokenizer }>,
  ): Target => ({
    files: () => filesOf(golden(root, path)),
    async read(folder) {
      const part = await open(folder);
      const { processor, tokenizer, config } = part;
      const image = { width: 8, height: 6, data: new Uint8Array(8 * 6 * 3).fill(200) };
      return [config, await part.load(), tokenizer?.encode(PROMPT), preprocess(processor, image)];
    },
  });
  return {
    safetensors: {
      files: () => filesOf(golden(root, "models/vae-plain"), "", /safetensors$/),
      async read(folder) {
        const file = await openSafetensors(join(folder, "diffusion_pytorch_model.safetensors"));
        // weights of a file may be anything; whoever uses them looks
        for (const name of file.tensors.keys()) await file.read(name);
        return file.tensors;
      },
    },
    diffusers: { files: () => filesOf(tiny), read: async (folder) => wholeModel(await openStableDiffusion(folder)) },
    configurations: {
      files: () => filesOf(golden(root, "parity/checkpoints/sdxl-tiny")),
      kept: /\.(safetensors|txt)$|token|vocab/,
      read: async (folder) => wholeModel(await openStableDiffusion(folder)),
    },
    "one file": {
      files: async () =>
        new Map(
          [
            ...(await filesOf(golden(root, "formats/sd1"), "model")),
            ...(await filesOf(golden(root, "formats"), "", /^sd1\.safetensors$/)).entries(),
          ].map(([name, bytes]) => [name === "sd1.safetensors" ? "model.safetensors" : name, bytes]),
        ),
      read: async (folder) => wholeModel(await openStableDiffusion(join(folder, "model.safetensors"))),
    },
    align: encoder("tiny/checkpoints/align-tiny", openAlign),
    clip: encoder("parity/checkpoints/clip-tiny", openClip),
    dino: encoder("parity/checkpoints/dino-tiny", openDino),
    "a run's LoRA": {
      files: () => filesOf(join(root, "tests/frozen/before-trust/lora/checkpoints/000006")),
      async read(folder) {
        const lora = await readLora(folder);
        return [
          lora,
          await readTargets(folder, lora),
          await loadAdapted(await model(tiny), folder, (unet) => unet.load()),
          await readLoraFile(folder, await model(tiny)),
        ];
      },
    },
    "a LoRA file": {
      files: () => filesOf(golden(root, "formats"), "", /^sd1-lora-(kohya|diffusers)\.safetensors$/),
      async read(folder) {
        const sd1 = await model(golden(root, "formats/sd1.safetensors"));
        const updates = [];
        for (const kind of ["kohya", "diffusers"])
          updates.push(await readLoraFile(join(folder, `sd1-lora-${kind}.safetensors`), sd1));
        return updates;
      },
    },
    "a model's defaults": {
      files: () =>
        Promise.resolve(
          new Map([
            [
              "rpo.json",
              Buffer.from(
                '{"train": {"resolution": 64, "rank": 8, "guidance": 4, "lr": {"lora": 1e-3, "full": 1e-4}}, "prompts": {"live": "live.json", "object": "object.json"}}',
              ),
            ],
            [
              "settings.json",
              Buffer.from(
                '{"steps": 100, "lambda": 0.3, "adapter": "lora", "lr": 0.001, "token": "[V]", "preference": true}',
              ),
            ],
          ]),
        ),
      says: "rpo.json|config[: ]",
      async read(folder) {
        const config = await readConfigFile(join(folder, "settings.json"));
        const flags = { images: "photos", class: "dog", model: folder };
        return parseTrain({ flags, config, model: await readModelDefaults(folder, { ...config, ...flags }) });
      },
    },
  };
}

/** Everything of a checkpoint: its weights, how it noises and denoises, how it reads a prompt. */
async function wholeModel(model: StableDiffusion): Promise<unknown> {
  const { unet, vae, textEncoders, scheduler, resolution } = model;
  const read: unknown[] = [unet.config, vae.config, await unet.load(), await vae.load(), resolution];
  for (const text of textEncoders) read.push(text.config, await text.load(), text.tokenizer.encode(PROMPT));
  read.push(noiseSchedule(scheduler));
  for (const name of samplerNames) {
    // a scheduler may be of a class that is not supported: another sampler is then asked for
    const sampler = await Promise.resolve()
      .then(() => createSampler(name, scheduler, 4))
      .catch((error: unknown) => {
        if (name === "checkpoint" && error instanceof ModelError) return undefined;
        throw error;
      });
    if (sampler === undefined) continue;
    let latents = float32([0.5, -1, 2, 0], [1, 4, 1, 1]);
    latents = float32(
      latents.data.map((x) => x * sampler.initialNoiseScale),
      latents.shape,
    );
    for (let i = 0; i < sampler.timesteps.length; i++)
      latents = sampler.step(sampler.scaleModelInput(latents, i), i, latents);
    read.push(sampler.timesteps, sampler.initialNoiseScale, latents);
  }
  return read;
}
