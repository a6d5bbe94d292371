import { cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { textsOf, withTexts } from "../../src/images/png-text.ts";
import { golden } from "../formats/golden.ts";
import { runHere, shortRequest } from "../run/in-process.ts";
import { makePhotos, MODEL, root, rpo, temporaryFolder } from "../run/cli.ts";

/** A picture says how it was drawn, and is drawn again by that. */

const DRAWN = ["--steps", "2", "--height", "64", "--width", "32", "--guidance", "3", "--sampler", "euler"];
let folder = "";
let model = "";
let pictures = "";
beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder, "my model");
  await cp(MODEL, model, { recursive: true });
  pictures = join(folder, "pictures");
  const prompts = ["--prompt", "a dog, 犬", "--prompt", "a (cat) [V]", "--negative", "blurry"];
  const { code, stderr } = await rpo([
    "generate",
    ...["--model", model, ...prompts, "-n", "2", "--seed", "5", ...DRAWN, "--threads", "1", "--output", pictures],
  ]);
  expect(code, stderr).toBe(0);
}, 120_000);

let calls = 0;
async function from(picture: string, ...more: string[]) {
  const output = join(folder, `out-${calls++}`);
  const { code, stderr } = await rpo(["generate", "--from", picture, "--output", output, ...more]);
  const files = await readdir(output).catch((): string[] => []);
  return { code, stderr, output, pictures: files.filter((name) => name.endsWith(".png")) };
}
const plain = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
  .png()
  .toBuffer();
async function withText(...texts: [string, string][]): Promise<string> {
  const path = join(folder, `text-${calls++}.png`);
  await writeFile(path, withTexts(plain, texts));
  return path;
}

describe("rpo generate --from", () => {
  test.each(["00-5.png", "00-6.png", "01-6.png"])("draws %s again, byte for byte, and nothing else", async (name) => {
    const again = await from(join(pictures, name));
    expect(again.code, again.stderr).toBe(0);
    expect(again.pictures).toEqual([name.slice(3)]);
    const [before, now] = [join(pictures, name), join(again.output, name.slice(3))];
    expect((await readFile(now)).equals(await readFile(before))).toBe(true);
    expect(again.stderr).not.toMatch(/warning|note/);
  });

  test("other flags win: another seed is another picture, with all else the same", async () => {
    const other = await from(join(pictures, "00-5.png"), "--seed", "6");
    expect(other.pictures).toEqual(["6.png"]);
    const pixels = async (path: string) => sharp(path).raw().toBuffer();
    expect(await pixels(join(other.output, "6.png"))).toEqual(await pixels(join(pictures, "00-6.png")));
    const more = await from(join(pictures, "00-5.png"), "-n", "2", "--prompt", "a cat");
    expect(more.pictures).toEqual(["5.png", "6.png"]);
  });

  test("names the model and where to give it when that is not there, and says so when it is another", async () => {
    const copy = join(folder, "alone.png");
    await cp(join(pictures, "00-5.png"), copy);
    const lost = await from(copy);
    expect(lost.code).toBe(2);
    expect(lost.stderr).toContain(`--from ${copy}: drawn with my model; say where it is with --model`);
    const given = await from(copy, "--model", MODEL);
    expect(given.code, given.stderr).toBe(0);
    expect(given.stderr).not.toContain("warning");
    const other = await from(copy, "--model", golden("sd1.safetensors"), "--height", "64");
    expect(other.stderr).toContain("sd1.safetensors: not my model as the picture was drawn with; it will be another");
  });

  test("another VAE is said to be another, and the model that it is for to be the same", async () => {
    const vae = join(folder, "other-vae.safetensors");
    await cp(join(MODEL, "vae/diffusion_pytorch_model.safetensors"), vae);
    const other = await from(join(pictures, "00-5.png"), "--vae", vae);
    expect(other.code, other.stderr).toBe(0);
    const lines = other.stderr.split("\n").filter((line) => line.includes("warning"));
    expect(lines).toEqual(["warning: other-vae.safetensors: the picture was drawn without it; it will be another"]);
    const again = await from(join(other.output, "5.png"));
    expect(again.stderr).not.toContain("warning");
  });

  test("files that are not there are all named, with the setting that takes them together", async () => {
    const alone = join(folder, "with-loras.png");
    const text = textsOf(await readFile(join(pictures, "00-5.png"))).get("rpo") ?? "";
    const hash = "0".repeat(64);
    const loras = [
      { name: "a.safetensors", hash, weight: 0.5 },
      { name: "b.safetensors", hash, weight: 1 },
    ];
    const record = { ...(JSON.parse(text) as object), loras };
    await writeFile(alone, withTexts(plain, [["rpo", JSON.stringify(record)]]));
    const lost = await from(alone);
    expect([lost.code, lost.stderr]).toEqual([
      2,
      expect.stringContaining(
        "drawn with my model; say where it is with --model; and with a.safetensors:0.5 and b.safetensors; say where they are with --lora, in this order",
      ),
    ]);
  });

  test("draws with the run's checkpoint and the LoRA again, wherever the pictures are seen from", async () => {
    const request = await shortRequest(await makePhotos(2), { steps: 2, learningRate: 0.01 });
    await runHere(request);
    const drawn = join(folder, "of-run");
    const checkpoint = join(request.output, "checkpoints/000002");
    const args = ["--adapter", checkpoint, "--lora", `${checkpoint}:0.5`, "--prompt", "a [V] dog", "-n", "1", ...DRAWN];
    const { code, stderr } = await rpo(["generate", ...args, "--threads", "1", "--output", drawn]);
    expect(code, stderr).toBe(0);
    const again = await from(join(drawn, "0.png"));
    expect(again.code, again.stderr).toBe(0);
    expect(await readFile(join(again.output, "0.png"))).toEqual(await readFile(join(drawn, "0.png")));
    const moved = join(folder, "moved-run");
    await rename(request.output, moved);
    const lost = await from(join(drawn, "0.png"));
    expect([lost.code, lost.stderr]).toEqual([
      2,
      expect.stringContaining("drawn with run-000002; say where it is with --adapter"),
    ]);
  });
});

describe("what a picture says", () => {
  test("is A1111's parameters and rpo's own, without where anything lies", async () => {
    const texts = textsOf(await readFile(join(pictures, "01-5.png")));
    expect(texts.get("parameters")).toMatch(
      /^a \\\(cat\\\) \\\[V\\\]\nNegative prompt: blurry\nSteps: 2, Sampler: Euler, Schedule type: Uniform, CFG scale: 3, Seed: 5, Size: 32x64, Model: my model, Version: rpo /,
    );
    for (const text of texts.values()) expect(text).not.toContain(folder);
    const prompts = JSON.parse(await readFile(join(pictures, "prompts.json"), "utf8")) as Record<string, object>;
    expect(prompts["01-5.png"]).toMatchObject({ prompt: "a (cat) [V]", seed: 5, places: { model } });
  });

  test("is nothing with --no-parameters, and then there is nothing to draw by", async () => {
    const output = join(folder, "silent");
    const args = ["--model", model, "--prompt", "a dog", "-n", "1", ...DRAWN, "--no-parameters"];
    expect((await rpo(["generate", ...args, "--output", output])).code).toBe(0);
    expect(textsOf(await readFile(join(output, "0.png"))).size).toBe(0);
    expect(JSON.parse(await readFile(join(output, "prompts.json"), "utf8"))).toEqual({
      "0.png": { prompt: "a dog", seed: 0 },
    });
    const { code, stderr } = await from(join(output, "0.png"));
    expect([code, stderr]).toEqual([2, expect.stringContaining("it says nothing of how it was drawn")]);
  });
});

describe("pictures of others", () => {
  test("A1111's settings are taken, with what is left out and the model to give", async () => {
    const path = await withText([
      "parameters",
      "a dog\nNegative prompt: grey\nSteps: 2, Sampler: Euler a, CFG scale: 4, Seed: 9, Size: 64x64, Clip skip: 2, Model: anything",
    ]);
    const lost = await from(path);
    expect([lost.code, lost.stderr]).toEqual([
      2,
      expect.stringContaining("drawn with anything; say where it is with --model"),
    ]);
    const drawn = await from(path, "--model", MODEL);
    expect(drawn.code, drawn.stderr).toBe(0);
    expect(drawn.pictures).toEqual(["9.png"]);
    expect(drawn.stderr).toContain(
      "drawn by another program, so that the picture will be another; not taken: Sampler: Euler a, Clip skip: 2",
    );
    const prompts = JSON.parse(await readFile(join(drawn.output, "prompts.json"), "utf8")) as Record<string, object>;
    expect(prompts["9.png"]).toMatchObject({ prompt: "a dog", drawnWith: { negative: "grey", steps: 2, guidance: 4 } });
  });

  test.each<[string, () => Promise<string>, string]>([
    ["ComfyUI's", () => withText(["prompt", '{"3": {}}']), "ComfyUI's workflows are not read; give --prompt"],
    ["InvokeAI's", () => withText(["invokeai_metadata", "{}"]), "InvokeAI's settings are not read"],
    ["words", () => withText(["parameters", "a dog"]), "which are not in A1111's form"],
    ["a photo", () => Promise.resolve(join(root, "tests/golden/judges/0.png")), "it says nothing of how it was drawn"],
    [
      "a JPEG",
      async () => {
        const path = join(folder, "a.jpg");
        await writeFile(path, await sharp(plain).jpeg().toBuffer());
        return path;
      },
      "expected a PNG that says how it was drawn, but it is a picture of the kind JPEG",
    ],
    ["nothing", () => Promise.resolve(join(folder, "nowhere.png")), "no such file"],
    ["a damaged record", () => withText(["rpo", '{"version": "1"}']), "is damaged, or of another version of rpo"],
    ["a record that nests", () => withText(["rpo", "[".repeat(100_000)]), "is damaged"],
    [
      "a seed that is none",
      () => withText(["parameters", "x\nSteps: 2, Seed: -1, CFG scale: 1, Size: 64x64"]),
      'its seed "-1": expected an integer',
    ],
    [
      "more steps than anybody takes",
      () => withText(["parameters", "x\nSteps: 99999, Seed: 1, CFG scale: 1, Size: 64x64"]),
      'its steps "99999": expected',
    ],
    [
      "a prompt with control characters",
      () => withText(["parameters", "a\u001b[31m\nSteps: 2, Seed: 1, CFG scale: 1, Size: 64x64"]),
      "the control character U+001B",
    ],
  ])("%s are refused by name", async (_what, make, message) => {
    const { code, stderr } = await from(await make(), "--model", MODEL);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("a record that names paths leads nowhere", async () => {
    const own = JSON.parse(textsOf(await readFile(join(pictures, "00-5.png"))).get("rpo") ?? "{}") as { model: object };
    const path = await withText(["rpo", JSON.stringify({ ...own, model: { ...own.model, name: model } })]);
    const { code, stderr } = await from(path);
    expect([code, stderr]).toEqual([2, expect.stringContaining("say where it is with --model")]);
    await rm(path);
  });
});
