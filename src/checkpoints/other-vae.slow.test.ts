import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { golden } from "../../tests/formats/golden.ts";
import { packagePath } from "../system/package.ts";
import { openSafetensors, writeSafetensors } from "../tensor/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { openStableDiffusion } from "./stable-diffusion.ts";

/** The checkpoint's own VAE in each of the forms in which VAEs are passed around, its weights doubled: another VAE. */

const MODEL = packagePath("tests/golden/tiny/checkpoints/sd15-tiny");
const ONE_FILE = golden("sd1.safetensors");
const WEIGHTS = "diffusion_pytorch_model.safetensors";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "vae-"))));
afterEach(() => rm(folder, { recursive: true }));

const doubled = ({ data, ...tensor }: Tensor): Tensor => ({ ...tensor, data: data.map((x) => 2 * x) }) as Tensor;

/** A file's tensors, doubled, under other names; none of those whose name is to be undefined. */
async function written(
  source: string,
  nameOf: (name: string) => string | undefined,
  path = join(folder, "vae.safetensors"),
) {
  const file = await openSafetensors(source);
  const tensors: { name: string; tensor: Tensor }[] = [];
  for (const key of file.tensors.keys()) {
    const name = nameOf(key);
    if (name !== undefined) tensors.push({ name, tensor: doubled(await file.read(key)) });
  }
  await writeSafetensors(path, tensors);
  return path;
}

async function expectDoubled(model: string, vae: string): Promise<void> {
  const [own, other] = [await openStableDiffusion(model), await openStableDiffusion(model, { vae })];
  const [before, after] = [await own.vae.load(), await other.vae.load()];
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  for (const [name, { data, shape }] of before) {
    expect(after.get(name)?.shape, name).toEqual(shape);
    expect(after.get(name)?.data, name).toEqual(data.map((x) => 2 * x));
  }
  // nothing else of the checkpoint is another
  expect(other.vae.config).toEqual(own.vae.config);
  expect(await other.unet.load()).toEqual(await own.unet.load());
}

const VAE = "first_stage_model.";
const inside = (name: string) => (name.startsWith(VAE) ? name.slice(VAE.length) : undefined);

describe("a VAE is read", () => {
  test.each<[string, string, () => Promise<string>]>([
    ["from a file in diffusers' layout", MODEL, () => written(join(MODEL, "vae", WEIGHTS), (name) => name)],
    [
      "with diffusers' names of 2022",
      MODEL,
      () =>
        written(join(MODEL, "vae", WEIGHTS), (name) =>
          name
            .replace(
              /(attentions\.0\.)to_(q|k|v)\./,
              (_, at: string, part: "q" | "k" | "v") => `${at}${{ q: "query", k: "key", v: "value" }[part]}.`,
            )
            .replace("attentions.0.to_out.0.", "attentions.0.proj_attn."),
        ),
    ],
    ["in the original layout, as vae-ft-mse and sdxl_vae are", ONE_FILE, () => written(ONE_FILE, inside)],
    [
      "with the original's prefix",
      ONE_FILE,
      () => written(ONE_FILE, (name) => (inside(name) === undefined ? undefined : name)),
    ],
    ["from a whole checkpoint in one file", ONE_FILE, () => written(ONE_FILE, (name) => name)],
    [
      "from a diffusers folder",
      MODEL,
      async () => {
        const vae = join(folder, "vae");
        await cp(join(MODEL, "vae"), vae, { recursive: true });
        await written(join(MODEL, "vae", WEIGHTS), (name) => name, join(vae, WEIGHTS));
        return vae;
      },
    ],
    [
      "from a pipeline's folder",
      MODEL,
      async () => {
        await cp(join(MODEL, "vae"), join(folder, "pipeline", "vae"), { recursive: true });
        await written(join(MODEL, "vae", WEIGHTS), (name) => name, join(folder, "pipeline", "vae", WEIGHTS));
        return join(folder, "pipeline");
      },
    ],
  ])("%s", async (_how, model, make) => {
    await expectDoubled(model, await make());
  });
});

test("what is no VAE, or one of another model, is refused by name", async () => {
  const notOne = await written(ONE_FILE, (name) => (inside(name) === undefined ? name : undefined));
  await expect(openStableDiffusion(MODEL, { vae: notOne })).rejects.toThrow(
    `${notOne}: expected a VAE (decoder.conv_in.weight)`,
  );
  const other = await written(ONE_FILE, inside);
  await expect(openStableDiffusion(MODEL, { vae: other })).rejects.toThrow(other);
});
