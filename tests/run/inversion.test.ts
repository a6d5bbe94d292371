import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readEmbedding } from "../../src/checkpoints/embeddings/read.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { readBest } from "../../src/runs/best.ts";
import { readRunConfig } from "../../src/runs/config.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { makePhotos, MODEL, rpo, SDXL, temporaryFolder } from "./cli.ts";
import { runHere, shortRequest } from "./in-process.ts";

/** A run of textual inversion from end to end: what it writes, draws, reports, selects and exports. */

const photos = await makePhotos(2);
const own = { method: "inversion", vectors: 2, token: "<thing>", learningRate: 0.05, lambda: 1 } as const;

let run: string;
beforeAll(async () => {
  const request = await shortRequest(photos, own);
  run = request.output;
  await runHere(request);
}, 120_000);

test("a checkpoint is the word's file as diffusers has it, and nothing of the model", async () => {
  const folder = join(run, "checkpoints", "000004");
  expect((await readdir(folder)).sort()).toEqual(["SHA256SUMS", "learned_embeds.safetensors"]);
  const file = await openSafetensors(join(folder, "learned_embeds.safetensors"));
  expect([...file.tensors].map(([name, { shape }]) => [name, shape])).toEqual([["<thing>", [2, 32]]]);
  const { word } = await readEmbedding(join(folder, "learned_embeds.safetensors"), await openStableDiffusion(MODEL));
  expect(word).toBe("<thing>");
});

test("the model reads the word without the class word, the reward the class word without the word", async () => {
  const events = await readEvents(run);
  const [first, , last] = events.filter((event) => event.type === "validation");
  for (const { text, prompt } of first.images) {
    expect(text).toContain("<thing>");
    expect(text).not.toContain("dog");
    expect(prompt).not.toContain("<thing>");
    expect(prompt).toContain("dog");
  }
  // the same noises, read by other vectors
  expect(last.images[0].seed).toBe(first.images[0].seed);
  expect(last.images[0].sha256).not.toBe(first.images[0].sha256);
});

test("config.json says nothing of adapters, and the report what was trained", async () => {
  const config = JSON.parse(await readFile(join(run, "config.json"), "utf8")) as object;
  for (const key of ["adapter", "rank", "targets"]) expect(config).not.toHaveProperty(key);
  expect((await readRunConfig(run)).settings).toMatchObject({ vectors: 2, sentences: "object" });
  expect((await rpo(["report", run])).code).toBe(0);
  const page = await readFile(join(run, "report.html"), "utf8");
  for (const text of ["Textual inversion", "2 vectors of a new word"]) expect(page).toContain(text);
  expect(page).not.toContain("LoRA of attention");
});

test("generate draws a validation's picture again, from the run and from the file alone", async () => {
  const { settings } = await readRunConfig(run);
  const last = (await readEvents(run)).filter((event) => event.type === "validation")[2];
  const { text = "", seed, sha256 } = last.images[0];
  const checkpoint = join(run, "checkpoints", "000004");
  const draw = async (...source: string[]) => {
    const output = join(await temporaryFolder(), "pictures");
    const how = ["--sampler", settings.sampler, "--steps", "2", "--guidance", String(settings.guidance)];
    const what = [
      "--prompt",
      text,
      "--seed",
      String(seed),
      "-n",
      "1",
      "--threads",
      "1",
      "--no-parameters",
      "--output",
      output,
    ];
    const { code, stderr } = await rpo(["generate", ...source, ...how, ...what]);
    expect(code, stderr).toBe(0);
    return readFile(join(output, `${seed}.png`));
  };
  const ofRun = await draw("--adapter", checkpoint);
  expect(ofRun).toEqual(await draw("--model", MODEL, "--embedding", join(checkpoint, "learned_embeds.safetensors")));
  expect(ofRun).not.toEqual(await draw("--model", MODEL));
  expect(sha256).toBeDefined();
});

test("select chooses among its checkpoints", async () => {
  const { code, stderr } = await rpo(["select", run, "--lambda", "0.4"]);
  expect(code, stderr).toBe(0);
  expect(await readBest(run)).toSatisfy((best) => best === undefined || typeof best === "string");
});

describe("export", () => {
  const checkpoint = () => join(run, "checkpoints", "000004");

  test("writes the word for A1111 and ComfyUI, with the same vectors", async () => {
    const output = join(await temporaryFolder(), "thing.safetensors");
    const { code, stderr } = await rpo(["export", checkpoint(), "--format", "kohya", "--output", output]);
    expect(code, stderr).toBe(0);
    const [there, here] = [
      await openSafetensors(output),
      await openSafetensors(join(checkpoint(), "learned_embeds.safetensors")),
    ];
    expect([...there.tensors.keys()]).toEqual(["emb_params"]);
    expect((await there.read("emb_params")).data).toEqual((await here.read("<thing>")).data);
  });

  test.each(["peft", "diffusers"])("refuses %s, for the model is as it was", async (format) => {
    const { code, stderr } = await rpo(["export", checkpoint(), "--format", format]);
    expect(code).toBe(2);
    expect(stderr).toContain("is a word and changes nothing of the model");
  });
});

test("with two text encoders there is a file of each, and an export of both", async () => {
  const request = await shortRequest(photos, { ...own, model: SDXL, steps: 2 });
  await runHere(request);
  const folder = join(request.output, "checkpoints", "000002");
  expect((await readdir(folder)).sort()).toEqual([
    "SHA256SUMS",
    "learned_embeds.safetensors",
    "learned_embeds_2.safetensors",
  ]);
  const output = join(await temporaryFolder(), "thing.safetensors");
  const { code, stderr } = await rpo(["export", folder, "--format", "kohya", "--output", output]);
  expect(code, stderr).toBe(0);
  expect([...(await openSafetensors(output)).tensors.keys()].sort()).toEqual(["clip_g", "clip_l"]);
});

describe("what does not fit is refused before any work", () => {
  const train = (...flags: string[]) =>
    rpo(["train", "--model", MODEL, "--reward", "tiny", "--images", photos, "--class", "dog", "--yes", ...flags]);
  test.each([
    [["--adapter", "full"], /--adapter: belongs to --method .*, not to inversion/],
    [["--vectors", "0"], /--vectors "0": expected an integer from 1 to 64/],
    [["--initializer", "two words"], /--initializer two words: expected a word of one token/],
  ])("%s", async (flags, message) => {
    const { code, stderr } = await train("--method", "inversion", ...flags);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
