import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pipeline, TrainEvent, TrainOptions } from "../../src/library/index.ts";
import type { ValidationEvent } from "../../src/runs/events.ts";
import { REWARD, root, rpo, temporaryFolder } from "../run/cli.ts";
import { builtLibrary } from "./dist.ts";

const { evaluate, loadPipeline, loadReward, ModelError, select, train, UsageError, version } = await builtLibrary();

const PHOTOS = join(root, "models/tiny/subjects/dog");
const threads = 1;

let folder: string;
let pipeline: Pipeline;
beforeAll(async () => {
  folder = await temporaryFolder();
  pipeline = await loadPipeline({ model: "tiny", threads });
}, 60_000);
afterAll(async () => {
  await pipeline.release();
  await rm(folder, { recursive: true });
});

/** The shortest training there is. */
const short = {
  images: PHOTOS,
  class: "dog",
  adapter: "lora",
  rank: 2,
  steps: 2,
  validateEvery: 2,
  validationImages: 1,
  validationSteps: 1,
  negatives: 1,
  guidance: 3,
  threads,
} satisfies TrainOptions;

test("the version is the package's", async () => {
  expect(version).toBe((JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string }).version);
});

test("a prompt and a seed give the bytes that rpo generate --no-parameters writes", async () => {
  const pictures = await pipeline.generate({ prompt: "a dog on the beach", count: 2, seed: 3, steps: 3 });
  const output = join(folder, "pictures");
  const flags = [
    "--model",
    "tiny",
    "--prompt",
    "a dog on the beach",
    "-n",
    "2",
    "--seed",
    "3",
    "--steps",
    "3",
    "--no-parameters",
  ];
  expect((await rpo(["generate", ...flags, "--threads", `${threads}`, "--output", output])).code).toBe(0);
  for (const [i, picture] of pictures.entries()) {
    expect(picture).toMatchObject({ prompt: "a dog on the beach", seed: 3 + i, width: 64, height: 64 });
    const path = join(folder, "new folder", `${i}.png`);
    await picture.save(path);
    const bytes = await readFile(join(output, `${3 + i}.png`));
    expect(bytes.equals(await readFile(path))).toBe(true);
    expect(bytes.equals(await picture.toPng())).toBe(true);
  }
  await expect(pictures[0].save("a.jpg")).rejects.toThrow("a.jpg: expected a name that ends in .png");
});

test("while it draws, this thread has nothing to do", async () => {
  const before = performance.eventLoopUtilization();
  await pipeline.generate({ prompt: "a dog", steps: 50 });
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});

test("a signal gives up a drawing with its reason, and the next one comes", async () => {
  const abort = new AbortController();
  const reason = new Error("enough");
  let steps = 0;
  const onEvent = () => {
    if (++steps === 2) abort.abort(reason);
  };
  const options = { prompt: "a dog", steps: 1000, onEvent, signal: abort.signal };
  await expect(pipeline.generate(options)).rejects.toBe(reason);
  await expect(pipeline.generate(options)).rejects.toBe(reason);
  expect(await pipeline.generate({ prompt: ["a dog", "a cat"], steps: 1 })).toMatchObject([
    { prompt: "a dog", seed: 0 },
    { prompt: "a cat", seed: 0 },
  ]);
});

const wrong: [name: string, make: () => Promise<unknown>, message: string][] = [
  ["steps", () => pipeline.generate({ prompt: "a", steps: 0 }), "steps 0: expected an integer from 1 to 1000"],
  ["a width", () => pipeline.generate({ prompt: "a", width: 33 }), "width 33: this model draws pictures whose sides"],
  ["no prompt", () => pipeline.generate({ prompt: [] }), "prompt []: expected at least one prompt"],
  ["a model", () => loadPipeline({ model: "/no/model" }), "model /no/model: no such folder"],
  ["an adapter", () => loadPipeline({ adapter: "/no/run" }), "adapter /no/run: no such file or folder"],
  ["a reward", () => loadReward({ model: "/no/model" }), "reward /no/model: no such folder"],
  ["photos", () => train({ images: "/no/photos", class: "dog" }), "images /no/photos: no such folder"],
  [
    "one of several subjects' photos",
    () => {
      const concepts = ["dog", "teapot"].map((name) => ({
        images: name === "dog" ? PHOTOS : "/no/photos",
        class: name,
      }));
      return train({ method: "custom", concepts });
    },
    "concepts: subject 2: images /no/photos: no such folder",
  ],
  ["a LoRA's alpha", () => train({ ...short, loraAlpha: 0 }), "loraAlpha 0: expected a number above 0"],
  ["what is missing", () => train({ images: PHOTOS } as TrainOptions), "class is missing"],
  ["an option", () => train({ ...short, stepz: 3 } as TrainOptions), "stepz: no such setting; did you mean steps?"],
  ["a run", () => select({ run: "/no/run", lambda: 0.5 }), "/no/run: no run here"],
  ["a lambda", () => select({ run: "/no/run", lambda: 2 }), "lambda 2: expected a number from 0 to 1"],
  ["no judges", () => evaluate({ references: PHOTOS, images: PHOTOS }), "give judges FOLDER, or dino, clip or align"],
];
test.each(wrong)("wrong usage is an error in the library's words: %s", async (_, make, message) => {
  const error: unknown = await make().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toContain(message);
});

test("a model of another kind is an error of its own kind, from the engine's thread too", async () => {
  await expect(loadPipeline({ model: REWARD, threads })).rejects.toBeInstanceOf(ModelError);
});

test("a training that is declined writes nothing, and an error of confirm is the call's", async () => {
  const output = join(folder, "declined");
  const declined = await train({ ...short, output, confirm: ({ steps }) => steps !== short.steps });
  expect(declined).toMatchObject({ reason: "declined", best: undefined, output });
  const failure = new Error("no answer");
  await expect(train({ ...short, output, confirm: () => Promise.reject(failure) })).rejects.toBe(failure);
  await expect(readdir(output)).rejects.toThrow("ENOENT");
});

test("a training can be stopped and goes on; its pictures' scores are the reward's; its checkpoint draws", async () => {
  const output = join(folder, "run");
  const events: TrainEvent[] = [];
  const abort = new AbortController();
  const onEvent = (event: TrainEvent) => {
    events.push(event);
    if (event.type === "validation") abort.abort();
  };
  const stopped = await train({ ...short, output, onEvent, signal: abort.signal });
  expect(stopped).toMatchObject({ reason: "interrupted", output });
  const ended = await train({ output, resume: true, onEvent });
  expect(ended).toMatchObject({ reason: "steps", step: 2 });
  expect(events.filter(({ type }) => type === "estimate")).toHaveLength(2);
  expect(events.find(({ type }) => type === "progress")).toMatchObject({ phase: "loading", done: 0 });

  const validations = events.filter((event): event is ValidationEvent => event.type === "validation");
  expect(validations.map(({ step }) => step)).toEqual([0, 2]);
  const { images, lambda } = validations[1];
  const reward = await loadReward({ threads });
  const scored = { references: PHOTOS, pictures: images.map(({ image }) => join(output, image)), lambda };
  const prompts = images.map(({ prompt }) => prompt.replace("dog", "[V] dog"));
  const scores = await reward.score({ ...scored, prompts });
  for (const [i, { alignI, alignT }] of images.entries()) {
    expect(scores[i].alignI).toBeCloseTo(alignI, 6);
    expect(scores[i].alignT).toBeCloseTo(alignT, 6);
    expect(scores[i].reward).toBeCloseTo(1 / (0.5 / alignI + 0.5 / alignT), 6);
  }
  await expect(reward.score({ ...scored, prompts: prompts.slice(1) })).rejects.toThrow(
    `prompts: expected one, or one for each of ${images.length} pictures, got ${images.length - 1}`,
  );
  await reward.release();

  const chosen = await select({ run: output, lambda: 1 });
  expect(chosen.candidates.map(({ step }) => step)).toEqual([0, 2]);
  const adapted = await loadPipeline({ adapter: output, threads });
  const [usual] = await adapted.generate({ prompt: "a [V] dog", steps: 1 });
  const [asTrained] = await adapted.generate({ prompt: "a [V] dog", steps: 1, guidance: short.guidance });
  expect(await usual.toPng()).toEqual(await asTrained.toPng());
  await adapted.release();
});

test("a signal gives up an evaluation with its reason", async () => {
  const pictures = join(folder, "judged");
  const [picture] = await pipeline.generate({ prompt: "a dog", steps: 1 });
  await picture.save(join(pictures, "0.png"));
  const abort = new AbortController();
  const options = {
    references: PHOTOS,
    images: pictures,
    prompts: join(folder, "pictures", "prompts.json"),
    judges: "tiny",
    threads,
  };
  await expect(evaluate(options)).rejects.toThrow("has no prompt for this picture");
  const reason = new Error("enough");
  const onEvent = () => abort.abort(reason);
  const judged = { ...options, images: join(folder, "pictures"), onEvent, signal: abort.signal };
  await expect(evaluate(judged)).rejects.toBe(reason);
});
