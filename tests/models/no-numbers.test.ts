import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openAlign, openClip, openDino } from "../../src/checkpoints/encoders.ts";
import {
  createFeatureEncoder,
  createImageEncoder,
  type FeatureEncoder,
  type ImageEncoder,
} from "../../src/checkpoints/feature-encoder.ts";
import { readImage } from "../../src/images/read.ts";
import { generatePictures } from "../../src/commands/generate/run.ts";
import { TRAIN_DEFAULTS, type TrainRequest } from "../../src/settings/train-settings.ts";
import { openContext } from "../../src/training/open-context.ts";
import { method } from "../../src/methods/rpo/method.ts";
import { ModelError } from "../../src/system/errors.ts";
import { changedCopy, damagedModel, damagedReward, filled } from "../cli/hostile.ts";
import { makePhotos, MODEL, REWARD, root, rpo, temporaryFolder } from "../run/cli.ts";

/** Weights that are zero, or so large that sums overflow: the model that gives no numbers is named, and nothing is done with what it gave. */

const HUGE = 0x71;
const WEIGHTS = "model.safetensors";
const judges = join(root, "tests/golden/parity/checkpoints");
const session = { threads: 1 };
const VAE = "vae/diffusion_pytorch_model.safetensors";
const control = {
  emit: () => undefined,
  signal: new AbortController().signal,
  confirm: () => Promise.resolve(true),
};
const photo = await readImage(join(root, "tests/golden/judges/0.png"));

const open: Readonly<Record<string, (folder: string) => Promise<ImageEncoder & Partial<FeatureEncoder>>>> = {
  "align-tiny": async (folder) => createFeatureEncoder(await openAlign(folder), session),
  "clip-tiny": async (folder) => createFeatureEncoder(await openClip(folder), session),
  "dino-tiny": async (folder) => createImageEncoder(await openDino(folder), session),
};
const folderOf = (name: string) => (name === "align-tiny" ? REWARD : join(judges, name));

describe.each([
  ["zero", 0, "are all zero, so that nothing is like it"],
  ["too large", HUGE, "NaN or infinity came out"],
] as const)("an encoder whose weights are %s is named", (_state, byte, message) => {
  test.each(Object.keys(open))("%s", async (name) => {
    const folder = await changedCopy(folderOf(name), filled(WEIGHTS, byte));
    const encoder = await open[name](folder);
    for (const features of [encoder.images([photo]), encoder.texts?.(["a dog"]) ?? encoder.images([photo])]) {
      await expect(features).rejects.toThrow(ModelError);
      await expect(features).rejects.toThrow(message);
      await expect(features).rejects.toThrow(join(folder, WEIGHTS));
    }
    await encoder.release();
  });
});

test("rpo evaluate exits 2 and names the judge", async () => {
  const folder = await changedCopy(join(judges, "dino-tiny"), filled(WEIGHTS, 0));
  const photos = await makePhotos(2);
  const output = join(await temporaryFolder(), "out");
  const prompts = join(dirname(photos), "prompts.txt");
  await writeFile(prompts, "a dog\na dog\n");
  const args = ["--references", photos, "--images", photos, "--prompts", prompts, "--dino", folder];
  const { code, stdout, stderr } = await rpo(["evaluate", ...args, "--output", output, "--json"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(`${join(folder, WEIGHTS)}: the features of a picture are all zero`);
  expect(existsSync(output)).toBe(false);
});

test.each([
  ["unet/diffusion_pytorch_model.safetensors", "the prediction of a denoising step"],
  ["vae/diffusion_pytorch_model.safetensors", "the pixels of a picture"],
  ["text_encoder/model.safetensors", "the states of a prompt"],
])("a drawing names %s, and writes no picture", async (file, what) => {
  const model = await damagedModel(filled(file, HUGE));
  const output = join(await temporaryFolder(), "out");
  const settings = {
    model,
    adapter: undefined,
    prompts: ["a dog"],
    negative: undefined,
    count: 1,
    seed: 0,
    threads: 1,
  };
  const drawing = { sampler: "dpm", steps: 1, guidance: 1, height: 16, width: 16, output } as const;
  await expect(generatePictures({ ...settings, ...drawing }, control)).rejects.toThrow(
    new ModelError(
      `${join(model, file)}: ${what}: NaN or infinity came out, expected numbers; are these whole, trained weights?`,
    ),
  );
  expect(existsSync(output)).toBe(false);
});

test.each<[string, () => Promise<Partial<TrainRequest>>, string]>([
  ["the VAE", async () => ({ model: await damagedModel(filled(VAE, HUGE)) }), `${VAE}: the latents of a photo`],
  [
    "the reward",
    async () => ({ reward: await damagedReward(filled(WEIGHTS, 0)) }),
    `${WEIGHTS}: the features of a picture`,
  ],
])("a training names %s before its first step", async (_name, damaged, message) => {
  const images = await makePhotos(2);
  const usual = { ...TRAIN_DEFAULTS, model: MODEL, reward: REWARD, images, class: "dog", threads: 1 };
  const request: TrainRequest = { ...usual, output: join(dirname(images), "run"), ...(await damaged()) };
  await expect(openContext(request, method, control, { resume: false })).rejects.toThrow(message);
});
