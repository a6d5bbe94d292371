import { cp, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRunConfig } from "../../src/runs/config.ts";
import { openSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { few, makePhotos, MODEL, REWARD, rpo, temporaryFolder } from "./cli.ts";

/** A run with another VAE than its model's, and another prediction: recorded, drawn with, exported with, and found again. */

const WEIGHTS = "vae/diffusion_pytorch_model.safetensors";

/** The model's VAE, a little changed, in a file. */
async function otherVae(): Promise<string> {
  const file = await openSafetensors(join(MODEL, WEIGHTS));
  const tensors: { name: string; tensor: Tensor }[] = [];
  for (const name of file.tensors.keys()) tensors.push({ name, tensor: await file.read(name) });
  const path = join(await temporaryFolder(), "other.safetensors");
  await writeSafetensors(
    path,
    tensors.map(({ name, tensor }) => ({
      name,
      tensor: { ...tensor, data: tensor.data.map((x) => 0.9 * x) } as Tensor,
    })),
  );
  return path;
}

test(
  "a training with --vae and --prediction is drawn with and exported with both, and asks for a VAE that has moved",
  { timeout: 180_000 },
  async () => {
    const [vae, photos, folder] = [await otherVae(), await makePhotos(2), await temporaryFolder()];
    const run = join(folder, "run");
    const train = ["train", "--model", MODEL, "--reward", REWARD, "--images", photos, "--class", "dog"];
    const trained = await rpo([
      ...train,
      ...[...few(2), "--negatives", "1", "--lr", "1e-3"],
      "--vae",
      vae,
      "--prediction",
      "v-zsnr",
      "--output",
      run,
      "--threads",
      "1",
    ]);
    expect(trained.code, trained.stderr).toBe(0);
    const { settings, hashes } = await readRunConfig(run);
    expect(settings).toMatchObject({ vae, prediction: "v-zsnr" });
    expect(hashes).toHaveProperty([vae]);

    const checkpoint = join(run, "checkpoints/000002");
    const draw = async (name: string, ...args: string[]) => {
      const output = join(folder, name);
      const prompt = [
        "--prompt",
        "a dog",
        "-n",
        "1",
        "--steps",
        "2",
        "--guidance",
        "3",
        "--threads",
        "1",
        "--no-parameters",
      ];
      const { code, stderr } = await rpo(["generate", ...args, ...prompt, "--output", output]);
      expect(code, stderr).toBe(0);
      return readFile(join(output, "0.png"));
    };
    const own = await draw("own", "--adapter", checkpoint);
    expect(own).toEqual(
      await draw("said", "--adapter", checkpoint, "--model", MODEL, "--vae", vae, "--prediction", "v-zsnr"),
    );
    expect(own).not.toEqual(await draw("model's VAE", "--adapter", checkpoint, "--vae", join(MODEL, "vae")));
    expect(own).not.toEqual(await draw("noise", "--adapter", checkpoint, "--prediction", "epsilon"));

    const exported = join(folder, "exported");
    const { code, stderr } = await rpo(["export", checkpoint, "--format", "diffusers", "--output", exported]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(await readFile(join(exported, "scheduler/scheduler_config.json"), "utf8"))).toMatchObject({
      ...{ prediction_type: "v_prediction", rescale_betas_zero_snr: true, timestep_spacing: "trailing" },
    });
    expect(own).toEqual(await draw("exported pictures", "--model", exported));

    const moved = join(folder, "moved.safetensors");
    await cp(vae, moved);
    await rename(vae, `${vae}.gone`);
    const longer = ["train", "--resume", "--output", run, "--steps", "3"];
    const lost = await rpo(longer);
    expect([lost.code, lost.stderr]).toEqual([
      2,
      expect.stringContaining(
        `its vae is no longer at ${vae} (expected a VAE's folder or a .safetensors file); say where it is now with --vae`,
      ),
    ]);
    const found = await rpo([...longer, "--vae", moved]);
    expect(found.code, found.stderr).toBe(0);
  },
);
