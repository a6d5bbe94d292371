import { describe, expect, test } from "vitest";
import { loadTextModels } from "../../src/checkpoints/text-encoder.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget, type NoiseSchedule } from "../../src/diffusion/schedule.ts";
import { loadMethod } from "../../src/methods/load.ts";
import { trainCrossAttention } from "../../src/methods/custom/cross-attention.ts";
import { trainedWord } from "../../src/methods/inversion/word.ts";
import { UsageError } from "../../src/system/errors.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";
import { openLiveTexts, tableOf, textInputs } from "../../src/training/live-texts.ts";
import { minSnrWeight } from "../../src/training/min-snr.ts";
import { TRAIN_NOTHING } from "../../src/training/trainable.ts";
import { vectorsIn, vectorsName, type TrainedTexts } from "../../src/training/trained-texts.ts";
import { createTrainer, type Feeds } from "../../src/training/trainer.ts";
import { TRAIN_DEFAULTS } from "../../src/settings/train-settings.ts";
import { MODEL, SDXL } from "../run/cli.ts";
import { openGolden, together } from "./golden.ts";

/** Steps of a word that trains, against what PyTorch made of them: tests/golden/words/make.py. */

const STEPS = 3;
const GAMMA = 0.5;
const VECTORS = 2;
const TEXTS = ["a photo of a [V] dog", "the [V] and a rendition of the [V]"];
const learningRate = 1e-3;
const session = { threads: 1 };
const settings = {
  ...{ ...TRAIN_DEFAULTS, model: "", reward: "", images: "", class: "dog", output: "" },
  ...{ learningRate, resolution: 64, threads: 1 },
};

const golden = async (name: string, method = "inversion") =>
  (await openGolden(`words/${method}-${name}.safetensors`)).read;

/** Min-SNR's weights, where they are wanted. */
function snrWeights(schedule: NoiseSchedule, { data }: Float32Tensor, gamma: number | undefined): Feeds {
  return gamma === undefined ? {} : { "ref.weight": float32([...data].map((t) => minSnrWeight(schedule, t, gamma))) };
}

const furthest = (actual: Float32Array, expected: Float32Array): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - actual[i]))) / Math.max(...expected.map(Math.abs));

describe.each<[name: string, path: string, gamma?: number]>([
  ["sd15", MODEL],
  ["sdxl", SDXL],
  ["sd15-snr", MODEL, GAMMA],
])("%s", (name, path, gamma) => {
  const opened = async () => {
    const model = await openStableDiffusion(path);
    const read = await golden(name);
    const encoders = await loadTextModels(model);
    const start = new Map<string, Float32Tensor>();
    for (const i of encoders.keys()) start.set(vectorsName(i), await read(`start.${i}`));
    const texts: TrainedTexts = {
      words: ["[V]"],
      encoders,
      group: { name: "word", start, learningRate, maxGradNorm: Number.MAX_VALUE },
    };
    return { model, read, encoders, texts };
  };

  test.each(["normal", "low"] as const)(
    "losses, gradients and vectors are PyTorch's, with %s memory",
    async (memory) => {
      const { model, read, encoders, texts } = await opened();
      const { objective } = await loadMethod("inversion");
      const weights = await model.unet.load();
      const frozen = [...weights].map(([key, { data }]) => [key, data.slice()] as const);
      const tables = encoders.map((encoder) => tableOf(encoder).data.slice());
      const side = model.unet.config.sampleSize;
      const trainer = await createTrainer({
        config: model.unet.config,
        weights,
        trainable: TRAIN_NOTHING,
        texts,
        objective: (scope) => objective(scope, settings),
        batch: 2,
        photo: { mask: false, weight: gamma !== undefined },
        latentSize: [side, side],
        textLength: 77,
        memory,
        session,
      });
      const inputs = textInputs(texts, 77);
      const prompts = together(TEXTS.map((text) => inputs(text).feeds("prompt")));
      const schedule = noiseSchedule(model.scheduler);
      for (let step = 0; step < STEPS; step++) {
        const [x, noise, t] = [await read(`${step}.x`), await read(`${step}.noise`), await read(`${step}.t`)];
        const curves = await trainer.backward({
          ...prompts,
          "ref.noisy": addNoise(schedule, x, noise, [...t.data]),
          "ref.target": trainingTarget(schedule, x, noise, [...t.data]),
          timestep: t,
          ...snrWeights(schedule, t, gamma),
          sizes: float32([64, 64, 0, 0, 64, 64, 64, 64, 0, 0, 64, 64], [2, 6]),
        });
        for (const curve of ["sim", "moved"]) {
          const { data } = await read(`${step}.expected.${curve}`);
          expect([curve, Math.abs(curves[curve][0] - data[0]) < 1e-5 * Math.max(1, data[0])]).toEqual([curve, true]);
        }
        if (step === 0)
          for (const i of encoders.keys()) {
            const gradient = trainer.optimizer.gradients.get(vectorsName(i))?.data ?? new Float32Array();
            expect(furthest(gradient, (await read(`grad.${i}`)).data)).toBeLessThan(1e-3);
          }
        await trainer.optimizer.step();
      }
      for (const [i, { data }] of vectorsIn(trainer.optimizer.parameters, texts).entries()) {
        const [before, after] = [(await read(`start.${i}`)).data, (await read(`param.${i}`)).data];
        expect(
          furthest(
            data.map((x, k) => x - before[k]),
            after.map((x, k) => x - before[k]),
          ),
        ).toBeLessThan(5e-3);
      }
      // nothing else trains: neither the U-Net nor a row of the tables
      expect([...trainer.optimizer.parameters.keys()]).toEqual([...texts.group.start.keys()]);
      for (const [key, before] of frozen) expect([key, weights.get(key)?.data]).toEqual([key, before]);
      for (const [i, table] of tables.entries()) expect(tableOf(encoders[i]).data).toEqual(table);
      await trainer.release();
    },
  );

  test("texts are read with the vectors as they are", async () => {
    const { read, texts } = await opened();
    const parameters = texts.group.start;
    const live = await openLiveTexts(texts, [...TEXTS, "a dog"], { ...session, parameters });
    const expected = [await read("states"), name === "sdxl" ? await read("pooled") : undefined];
    for (const [row, text] of TEXTS.entries())
      for (const [i, actual] of [live.of(text).states, live.of(text).pooled].entries()) {
        const all = expected[i];
        expect(actual === undefined).toBe(all === undefined);
        if (actual === undefined || all === undefined) continue;
        const size = actual.data.length;
        expect(furthest(actual.data, all.data.slice(row * size, (row + 1) * size))).toBeLessThan(1e-4);
      }
    const before = new Map([...TEXTS, "a dog"].map((text) => [text, live.of(text).states]));
    for (const { data } of texts.group.start.values()) data.fill(0.01);
    await live.refresh(new Set(TEXTS));
    for (const text of TEXTS) expect(live.of(text).states).not.toEqual(before.get(text));
    expect(live.of("a dog").states).toEqual(before.get("a dog"));
    await live.release();
  });

  test("every vector of a word begins as the initial word's, in each text encoder", async () => {
    const { encoders } = await opened();
    const asked = { ...settings, vectors: VECTORS, initializer: "a" };
    const { group } = trainedWord(asked, encoders);
    for (const [i, encoder] of encoders.entries()) {
      const { data, shape } = tableOf(encoder);
      const [id] = encoder.tokenizer.ids("a");
      const row = [...data.subarray(id * shape[1], (id + 1) * shape[1])];
      expect(group.start.get(vectorsName(i))).toMatchObject({ shape: [VECTORS, shape[1]] });
      expect([...(group.start.get(vectorsName(i))?.data ?? [])]).toEqual([...row, ...row]);
    }
    expect(() => trainedWord({ ...asked, initializer: "a dog" }, encoders)).toThrow(UsageError);
    expect(() => trainedWord({ ...asked, vectors: 75 }, encoders)).toThrow("at most 69");
  });
});

/** One subject, and two in one training, as make.py has them. */
const ONE = { words: ["[V]"], prompts: TEXTS, classPrompts: ["a photo of a dog", "a photo of a dog"] };
const TWO = {
  words: ["<new1>", "<new2>"],
  prompts: ["photo of a <new1> dog", "very small photo of a <new2> teapot"],
  classPrompts: ["photo of a teapot", "photo of a dog"],
};

test.each([
  ["normal", "sd15"],
  ["low", "sd15"],
  ["normal", "sd15-snr"],
  ["normal", "concepts"],
  ["low", "concepts"],
] as const)("Custom Diffusion's steps are PyTorch's, with %s memory: %s", async (memory, name) => {
  const gamma = name === "sd15-snr" ? GAMMA : undefined;
  const { words, ...subjects } = name === "concepts" ? TWO : ONE;
  const model = await openStableDiffusion(MODEL);
  const read = await golden(name, "custom");
  const encoders = await loadTextModels(model);
  const word = new Map([[vectorsName(0), await read("start.0")]]);
  const texts: TrainedTexts = { words, encoders, group: { name: "word", start: word, learningRate } };
  const weights = await model.unet.load();
  const { objective } = await loadMethod("custom");
  const side = model.unet.config.sampleSize;
  const trainer = await createTrainer({
    config: model.unet.config,
    weights,
    trainable: trainCrossAttention(weights, { learningRate }),
    texts,
    objective: (scope) => objective(scope, { ...settings, priorWeight: 0.7 }),
    batch: 2,
    photo: { mask: false, weight: gamma !== undefined },
    latentSize: [side, side],
    textLength: 77,
    memory,
    session,
  });
  const inputs = textInputs(texts, 77);
  // they are as large as an embedding, so that none is held between steps
  const [first, again] = Array.from({ length: 2 }, (_, i) => inputs(subjects.prompts[0]).feeds(`text ${i}`));
  const one = inputs(subjects.prompts[0]);
  expect(Object.values(again)).toEqual(Object.values(first));
  expect(one.feeds("text")["text.tokens.0"]).not.toBe(one.feeds("text")["text.tokens.0"]);
  const prompts = {
    ...together(subjects.prompts.map((text) => inputs(text).feeds("prompt"))),
    ...together(subjects.classPrompts.map((text) => inputs(text).feeds("class.prompt"))),
  };
  const schedule = noiseSchedule(model.scheduler);
  const nameOf = (key: string) => (key === "word" ? vectorsName(0) : key);
  const shown = [
    "word",
    ...[...weights.keys()].filter((name) => /^(mid_block|down_blocks\.0).*attn2\.to_[kv]\./.test(name)),
  ];
  expect(shown.length).toBeGreaterThan(4);
  for (let step = 0; step < STEPS; step++) {
    const half = async (key: string, from: number) => {
      const { data, shape } = await read(`${step}.${key}`);
      const size = data.length / 2;
      return float32(data.slice(from * size, (from + 1) * size), [2, ...shape.slice(1)]);
    };
    const feeds: Record<string, Float32Tensor> = { "ref.mask": await read(`${step}.mask`), ...prompts };
    for (const [from, [kind, at]] of [
      ["ref", "timestep"],
      ["class", "class.timestep"],
    ].entries()) {
      const [x, noise, t] = [await half("x", from), await half("noise", from), await half("t", from)];
      feeds[`${kind}.noisy`] = addNoise(schedule, x, noise, [...t.data]);
      feeds[`${kind}.target`] = trainingTarget(schedule, x, noise, [...t.data]);
      feeds[at] = t;
      if (kind === "ref") Object.assign(feeds, snrWeights(schedule, t, gamma));
    }
    const curves = await trainer.backward(feeds);
    for (const curve of ["loss", "sim", "prior"]) {
      const { data } = await read(`${step}.expected.${curve}`);
      expect([curve, Math.abs(curves[curve][0] - data[0]) < 1e-4 * Math.max(1, data[0])]).toEqual([curve, true]);
    }
    if (step === 0)
      for (const key of shown) {
        const gradient = trainer.optimizer.gradients.get(nameOf(key))?.data ?? new Float32Array();
        expect([key, furthest(gradient, (await read(`grad.${key}`)).data) < 1e-3]).toEqual([key, true]);
      }
    await trainer.optimizer.step();
  }
  for (const key of shown) {
    const before = (key === "word" ? word.get(vectorsName(0)) : weights.get(key))?.data ?? new Float32Array();
    const now = trainer.optimizer.parameters.get(nameOf(key))?.data ?? before;
    const after = (await read(`param.${key}`)).data;
    const rms = (of: (i: number) => number) => Math.hypot(...after.map((_, i) => of(i)));
    expect([key, rms((i) => now[i] - after[i]) < 5e-3 * rms((i) => after[i] - before[i])]).toEqual([key, true]);
  }
  const trained = [...trainer.optimizer.parameters.keys()];
  expect(trained.every((name) => name === vectorsName(0) || /attn2\.to_[kv]\.weight$/.test(name))).toBe(true);
  await trainer.release();
});
