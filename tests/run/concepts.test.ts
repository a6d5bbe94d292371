import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { openAlign } from "../../src/checkpoints/encoders.ts";
import { readEmbedding } from "../../src/checkpoints/embeddings/read.ts";
import { createFeatureEncoder } from "../../src/checkpoints/feature-encoder.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { loadTextModels } from "../../src/checkpoints/text-encoder.ts";
import { withConcepts } from "../../src/commands/train/concepts.ts";
import { readImage } from "../../src/images/read.ts";
import { createScorer } from "../../src/reward/scorer.ts";
import { readRunConfig } from "../../src/runs/config.ts";
import { readEvents } from "../../src/runs/folder.ts";
import type { Concept } from "../../src/settings/subjects.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { tableOf } from "../../src/training/live-texts.ts";
import { checkpointBytes, eventsOf, few, makePhotos, MODEL, REWARD, rpo, SDXL, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** Several subjects in one training of Custom Diffusion, from end to end. */

const folder = await temporaryFolder();
const LIST = [
  { images: "dog", class: "dog" },
  { images: "pot", class: "teapot", classFolder: "pots", token: "<pot>", plain: "photo of a {token} {class}" },
];
const file = join(folder, "concepts.json");
const prompts = join(folder, "prompts.txt");
const PROMPTS = ["a {token} {class} on the Moon", "a green {token} {class}"];

/** Photos of one colour with a stripe, unlike those of `makePhotos`. */
async function stripes(name: string, count: number): Promise<void> {
  await mkdir(join(folder, name));
  for (let i = 0; i < count; i++)
    await sharp({ create: { width: 40, height: 40, channels: 3, background: { r: 10, g: 20, b: 40 * i } } })
      .composite([
        {
          input: Buffer.from(
            `<svg width="40" height="40"><rect y="${9 * i}" width="40" height="6" fill="#fff"/></svg>`,
          ),
        },
      ])
      .jpeg()
      .toFile(join(folder, name, `${i}.jpg`));
}

let concepts: Concept[] = [];
const request = async (more: Partial<TrainRequest> = {}): Promise<TrainRequest> =>
  shortRequest(concepts[0].images, {
    ...{ method: "custom", class: "dog", token: "<new1>", concepts, classPictures: 2, prompts, learningRate: 0.01 },
    ...more,
  });

let run = "";
beforeAll(async () => {
  await rename(await makePhotos(2), join(folder, "dog"));
  await stripes("pot", 3);
  await stripes("pots", 2);
  await writeFile(file, JSON.stringify(LIST));
  await writeFile(prompts, PROMPTS.join("\n"));
  const { flags } = await withConcepts({ flags: { method: "custom", concepts: file }, config: {} });
  concepts = flags["concepts"] as Concept[];
  const whole = await request({ steps: 6, validateEvery: 3 });
  run = whole.output;
  expect((await runHere(whole)).reason).toBe("steps");
}, 240_000);

const checkpoint = () => join(run, "checkpoints", "000006");

test("config.json has the subjects, with their folders and words", async () => {
  const { settings, hashes } = await readRunConfig(run);
  expect(settings).toMatchObject({ concepts, images: join(folder, "dog"), class: "dog", token: "<new1>" });
  for (const photo of ["dog/0.jpg", "dog/1.jpg", "pot/0.jpg", "pot/2.jpg"])
    expect(hashes).toHaveProperty([join(folder, photo)]);
});

test("photos and class pictures of both subjects are dealt together, each class with its own prompt and pictures", async () => {
  const events = await readEvents(run);
  const start = events.find((event) => event.type === "start");
  expect(start?.photos?.map(({ subject }) => subject)).toEqual([0, 0, 1, 1, 1]);
  const steps = events.filter((event) => event.type === "step");
  // each photo once before one comes again
  expect(
    steps
      .slice(0, 5)
      .map(({ photo }) => photo)
      .sort(),
  ).toEqual([0, 1, 2, 3, 4]);
  const drawn = events.filter((event) => event.type === "starting-picture");
  expect(drawn.map(({ promptIndex, index, prompt }) => [promptIndex, index, prompt]).sort()).toEqual([
    [0, 0, "a photo of dog"],
    [0, 1, "a photo of dog"],
    [1, 0, "photo of a teapot"],
    [1, 1, "photo of a teapot"],
  ]);
  expect(new Set(steps.slice(0, 4).map(({ startingPicture }) => startingPicture)).size).toBe(4);
  const [taken] = drawn.filter(({ promptIndex }) => promptIndex === 1);
  const { data } = await readImage(join(run, taken.image));
  // the folder's are dark and have a white stripe; what an untrained model draws has neither
  expect(Math.max(...data) - Math.min(...data)).toBeGreaterThan(200);
});

test("validations draw every prompt for each subject, and measure likeness by that subject's photos", async () => {
  const events = await readEvents(run);
  const validations = events.filter((event) => event.type === "validation");
  const [{ images, reward }] = validations;
  expect(images.map(({ subject, text, prompt }) => [subject, text, prompt])).toEqual([
    [0, "a <new1> dog on the Moon", "a dog on the Moon"],
    [0, "a green <new1> dog", "a green dog"],
    [1, "a <pot> teapot on the Moon", "a teapot on the Moon"],
    [1, "a green <pot> teapot", "a green teapot"],
  ]);
  const encoder = await createFeatureEncoder(await openAlign(REWARD, { warn: () => undefined }), { threads: 1 });
  const photosI: number[] = [];
  for (const [subject, { images: own }] of concepts.entries()) {
    const photos = (await readdir(own)).sort().map((name) => () => readImage(join(own, name)));
    const alone = await createScorer(encoder, photos);
    photosI.push(alone.photosI);
    for (const { image, prompt, alignI, alignT } of images.filter((each) => each.subject === subject)) {
      const [score] = await alone.score([await readImage(join(run, image))], [prompt]);
      expect([alignI, alignT]).toEqual([expect.closeTo(score.alignI, 6), expect.closeTo(score.alignT, 6)]);
    }
  }
  await encoder.release();
  const harmonic = images.map(({ alignI, alignT }) => 1 / (0.5 / alignI + 0.5 / alignT));
  const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  // as often each, so that it is the mean over the subjects
  expect(reward).toBeCloseTo(meanOf([meanOf(harmonic.slice(0, 2)), meanOf(harmonic.slice(2))]), 6);
  expect(events.find((event) => event.type === "anchors")?.photosI).toBeCloseTo(meanOf(photosI), 6);
});

test("a checkpoint is diffusers' keys and values and a file for each word, and both words have moved from their rare tokens", async () => {
  expect((await readdir(checkpoint())).sort()).toEqual([
    "SHA256SUMS",
    "pytorch_custom_diffusion_weights.safetensors",
    "word-1.safetensors",
    "word-2.safetensors",
  ]);
  const model = await openStableDiffusion(MODEL);
  const [encoder] = await loadTextModels(model);
  const { data, shape } = tableOf(encoder);
  const rows: Float32Array[] = [];
  for (const [i, word] of ["<new1>", "<pot>"].entries()) {
    const path = join(checkpoint(), `word-${i + 1}.safetensors`);
    expect([...(await openSafetensors(path)).tensors.keys()]).toEqual([word]);
    const read = await readEmbedding(path, model);
    expect(read.word).toBe(word);
    const [vectors] = read.vectors;
    const id = encoder.tokenizer.ids(["ktn", "pll"][i]).at(-1) ?? 0;
    const began = data.subarray(id * shape[1], (id + 1) * shape[1]);
    const moved = Math.max(...began.map((x, n) => Math.abs(x - (vectors?.data[n] ?? NaN))));
    // AdamW's steps are of about the rate
    expect(moved).toBeGreaterThan(0.005);
    expect(moved).toBeLessThan(0.1);
    rows.push(vectors?.data ?? new Float32Array());
  }
  expect(rows[0]).not.toEqual(rows[1]);
});

test.each([
  ["after step 3", atStep(3)],
  ["before its first step", (event: { readonly type: string }) => event.type === "starting-picture"],
])("stopped %s, it ends as if it had not been stopped", async (_, until) => {
  const stopped = await request({ steps: 6, validateEvery: 3 });
  expect((await runHere(stopped, { until })).reason).toBe("interrupted");
  expect((await runHere(stopped, { resume: true })).reason).toBe("steps");
  const story = async (folder: string) =>
    (await eventsOf(folder)).filter((event) => (event as { readonly type: string }).type !== "stop");
  expect(await story(stopped.output)).toEqual(await story(run));
  expect(await checkpointBytes(stopped.output)).toEqual(await checkpointBytes(run));
});

test("generate knows both words in one prompt, from the run and from the exported pipeline with its word files", async () => {
  const draw = async (prompt: string, ...source: string[]) => {
    const output = join(await temporaryFolder(), "pictures");
    const how = ["--sampler", "dpm", "--steps", "2", "--guidance", "7.5", "--threads", "1", "-n", "1", "--seed", "7"];
    const args = ["generate", ...source, ...how, "--no-parameters", "--prompt", prompt, "--output", output];
    const { code, stderr } = await rpo(args);
    expect(code, stderr).toBe(0);
    return readFile(join(output, "7.png"));
  };
  const both = "a <new1> dog beside a <pot> teapot";
  const ofRun = await draw(both, "--adapter", checkpoint());
  // each word counts, and in its place
  for (const other of [
    "a <new1> dog beside a teapot",
    "a dog beside a <pot> teapot",
    "a <pot> dog beside a <new1> teapot",
  ])
    expect(await draw(other, "--adapter", checkpoint())).not.toEqual(ofRun);
  const pipeline = join(await temporaryFolder(), "pipeline");
  const { code, stderr } = await rpo(["export", checkpoint(), "--format", "diffusers", "--output", pipeline]);
  expect(code, stderr).toBe(0);
  const words = ["word-1", "word-2"].flatMap((name) => ["--embedding", join(pipeline, `${name}.safetensors`)]);
  expect(await draw(both, "--model", pipeline, ...words)).toEqual(ofRun);
});

test("the report shows both subjects, and select works on the run; merge says that it is one model already", async () => {
  expect((await rpo(["report", run])).code).toBe(0);
  const page = await readFile(join(run, "report.html"), "utf8");
  for (const text of [
    "a <em>&lt;new1&gt;</em> dog and a <em>&lt;pot&gt;</em> teapot",
    "a green &lt;pot&gt; teapot",
    "pot/0.jpg",
  ])
    expect(page).toContain(text);
  expect((await rpo(["select", run, "--lambda", "1"])).code).toBe(0);
  const merged = await rpo(["merge", checkpoint(), run, "--output", join(folder, "merged")]);
  expect([merged.code, merged.stderr]).toEqual([2, expect.stringContaining("holds several subjects already")]);
});

test(
  "killed while it trains, it ends as the run that was not, also where its photos have moved",
  { timeout: 240_000 },
  async () => {
    const args = (output: string) => [
      ...["train", "--model", MODEL, "--reward", REWARD, "--method", "custom", "--concepts", file, "--yes", "--json"],
      ...["--threads", "1", ...few(4)],
      ...["--class-pictures", "1", "--prompts", prompts, "--no-early-stopping", "--output", output],
    ];
    const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
    const uninterrupted = await rpo(args(whole));
    expect(uninterrupted.code, uninterrupted.stderr).toBe(0);
    expect((await rpo(args(killed), { kill: { afterLines: 7, afterMs: 0 } })).code).toBe(null);
    const elsewhere = await temporaryFolder();
    await rename(join(folder, "pot"), join(elsewhere, "pot"));
    const resume = ["train", "--resume", "--output", killed, "--yes"];
    const gone = await rpo(resume);
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining("the photos of subject 2 are no longer in")]);
    const moved = join(folder, "moved.json");
    await writeFile(moved, JSON.stringify([LIST[0], { ...LIST[1], images: join(elsewhere, "pot") }]));
    const resumed = await rpo([...resume, "--concepts", moved]);
    expect(resumed.code, resumed.stderr).toBe(0);
    await rename(join(elsewhere, "pot"), join(folder, "pot"));
    expect(await eventsOf(killed)).toEqual(await eventsOf(whole));
    expect(await checkpointBytes(killed)).toEqual(await checkpointBytes(whole));
  },
);

test("with an XL each word has a file for each text encoder", async () => {
  const xl = await request({ model: SDXL, steps: 2, priorWeight: 0 });
  await runHere(xl);
  const files = await readdir(join(xl.output, "checkpoints", "000002"));
  for (const name of ["word-1", "word-1_2", "word-2", "word-2_2"]) expect(files).toContain(`${name}.safetensors`);
});

test("a word that a subject's cannot begin as is refused with the subject, before anything is drawn", async () => {
  const [first, second] = concepts;
  const wrong = await request({ concepts: [first, { ...second, initializer: "two words" }] });
  await expect(runHere(wrong)).rejects.toThrow(
    /concepts: subject 2: initializer two words: expected a word of one token, but the model reads it as/,
  );
});
