import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { makePhotos, REWARD, rpo, temporaryFolder } from "../run/cli.ts";
import { golden } from "./golden.ts";

const MODEL = golden("sd1.safetensors");

/** The bytes of a picture. */
const pixels = (path: string) => sharp(path).raw().toBuffer();

/** The largest difference of two pictures, of 255. */
async function pictureDifference(a: string, b: string): Promise<number> {
  const [x, y] = [await pixels(a), await pixels(b)];
  expect(x.length).toBe(y.length);
  return x.reduce((worst, value, i) => Math.max(worst, Math.abs(value - y[i])), 0);
}

test(
  "a model in one file is trained, and its LoRA, exported for kohya's readers, draws what the run draws",
  { timeout: 240_000 },
  async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "dog");
    const done = async (...args: string[]) => {
      const { code, stdout, stderr } = await rpo([...args, "--threads", "1"]);
      expect(code, stderr).toBe(0);
      return stdout;
    };
    const train = { model: MODEL, reward: REWARD, images: await makePhotos(2), class: "dog", output: run };
    const short = {
      steps: "2",
      "validate-every": "2",
      "validation-images": "1",
      "validation-steps": "2",
      negatives: "1",
    };
    const flags = Object.entries({ ...train, ...short, lr: "5e-2", rank: "2" });
    await done("train", "--yes", ...flags.flatMap(([name, value]) => [`--${name}`, value]));
    const checkpoint = join(run, "checkpoints/000002");

    const draw = async (name: string, ...args: string[]) => {
      const output = join(folder, name);
      await done("generate", ...args, "--prompt", "a [V] dog", "-n", "1", "--steps", "3", "--output", output);
      return join(output, "0.png");
    };
    const file = (await done("export", checkpoint, "--format", "kohya", "--dtype", "f32")).trim();
    expect(file).toBe(join(run, "exports/dog-000002.safetensors"));
    const live = await draw("live", "--adapter", checkpoint);
    expect(await pictureDifference(live, await draw("lora", "--model", MODEL, "--lora", file))).toBeLessThanOrEqual(1);
    expect(await pictureDifference(live, await draw("none", "--model", MODEL, "--lora", `${file}:0`))).toBeGreaterThan(
      10,
    );
    const merged = (await done("export", checkpoint, "--format", "diffusers")).trim();
    expect(await pictureDifference(live, await draw("merged", "--model", merged))).toBeLessThanOrEqual(1);
  },
);

describe("wrong input is a line or two, and nothing is written:", () => {
  const generate = ["generate", "--prompt", "a dog", "--output", "FOLDER/out", "--model", MODEL];
  const cases: [name: string, args: string[], code: number, message: RegExp][] = [
    [
      "a LoRA that is not there",
      [...generate, "--lora", "/nowhere/x"],
      2,
      /--lora \/nowhere\/x: no such file .*FILE:WEIGHT/,
    ],
    [
      "no number behind the colon",
      [...generate, "--lora", `${MODEL}:much`],
      2,
      /expected a number behind the colon, such as .*:0.8/,
    ],
    ["a model as a LoRA", [...generate, "--lora", MODEL], 2, /is no key of a LoRA, expected such as/],
    [
      "a LoRA as a model",
      ["generate", "--prompt", "x", "--output", "FOLDER/out", "--model", golden("sd1-lora-kohya.safetensors")],
      2,
      /found a LoRA: give it as --lora/,
    ],
    [
      "another model's LoRA",
      [...generate, "--lora", golden("sdxl-lora-kohya.safetensors")],
      2,
      /has no such layer; is the LoRA of another model/,
    ],
    [
      "kohya's LoRA as --adapter",
      [...generate, "--adapter", golden("sd1-lora-kohya.safetensors")],
      2,
      /--lora takes LoRA files of every kind/,
    ],
    [
      "a model of another kind of file",
      ["generate", "--prompt", "x", "--output", "FOLDER/out", "--model", "FOLDER/file.txt"],
      2,
      /but it is another file/,
    ],
    [
      "an export of nothing",
      ["export", "/nowhere", "--format", "peft"],
      2,
      /\/nowhere: no such folder \(expected a run's folder/,
    ],
    ["an export without a format", ["export", "FOLDER"], 2, /--format is missing/],
    [
      "an unknown format",
      ["export", "FOLDER", "--format", "ckpt"],
      2,
      /--format "ckpt": expected peft, kohya or diffusers/,
    ],
    [
      "an unknown type",
      ["export", "FOLDER", "--format", "peft", "--dtype", "f8"],
      2,
      /--dtype "f8": expected f32 or f16/,
    ],
    ["a kohya folder", ["export", "FOLDER", "--format", "kohya", "--output", "FOLDER/x"], 2, /ends in .safetensors/],
    [
      "an output that is there",
      ["export", "FOLDER", "--format", "peft", "--output", "FOLDER/file.txt"],
      2,
      /exists; choose another/,
    ],
    [
      "a folder without run or model",
      ["export", "FOLDER", "--format", "peft"],
      2,
      /--model: expected a diffusers folder or a .safetensors file/,
    ],
  ];
  test.each(cases)("%s", async (_, args, code, message) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file.txt"), "x");
    const outcome = await rpo(args.map((arg) => arg.replace("FOLDER", folder)));
    const lines = outcome.stderr.split("\n").filter((line) => line !== "" && !/^(loading|exporting) /.test(line));
    expect(outcome.stderr).toMatch(message);
    expect(outcome.code).toBe(code);
    expect(lines.length, outcome.stderr).toBeLessThanOrEqual(2);
    expect(outcome.stdout).toBe("");
    expect(await readdir(folder)).toEqual(["file.txt"]);
  });
});
