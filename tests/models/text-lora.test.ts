import { describe, expect, test } from "vitest";
import { loadTextModels } from "../../src/checkpoints/text-encoder.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../src/diffusion/schedule.ts";
import { add, mul } from "../../src/graph/ops/index.ts";
import { objective } from "../../src/methods/rpo/objective.ts";
import { ATTENTION_TARGETS, TEXT_TARGETS } from "../../src/nn/lora.ts";
import { float32, stack } from "../../src/tensor/tensor.ts";
import { TRAIN_DEFAULTS } from "../../src/settings/train-settings.ts";
import { openLiveTexts, textInputs } from "../../src/training/live-texts.ts";
import { trainTextEncoders } from "../../src/training/text-lora.ts";
import { trainLora } from "../../src/training/trainable.ts";
import { createTrainer, type Feeds } from "../../src/training/trainer.ts";
import { startInputsOf, type TrainedTexts } from "../../src/training/trained-texts.ts";
import { MODEL, SDXL } from "../run/cli.ts";
import { openGolden, together } from "./golden.ts";

/** A LoRA of U-Net and text encoders against what PyTorch made of it: tests/golden/text-lora/make.py. */

const [STEPS, RANK, ALPHA, RATE, TEXT_RATE] = [3, 4, 8, 1e-3, 5e-4];
const PLAIN = ["a photo of a [V] dog", "a photo of a [V] dog"];
const MODIFIER = ["a [V] dog on the Moon", "a green [V] dog"];
const session = { threads: 1 };
const settings = { ...TRAIN_DEFAULTS, beta: 3, preferenceWeight: 0.4, photoFloor: 0.5, preserveWeight: 0.3 };

const golden = (name: string) => openGolden(`text-lora/${name}.safetensors`);

const furthest = (actual: ArrayLike<number>, expected: Float32Array): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - actual[i]))) / Math.max(...expected.map(Math.abs));

describe.each([
  ["sd15", MODEL],
  ["sdxl", SDXL],
])("%s", (name, path) => {
  const opened = async () => {
    const model = await openStableDiffusion(path);
    const file = await golden(name);
    const encoders = await loadTextModels(model);
    const start = await file.below("start.");
    const isText = (key: string) => key.startsWith("text_encoder");
    const own = (wanted: boolean) => new Map([...start].filter(([key]) => isText(key) === wanted));
    const texts: TrainedTexts = {
      lora: { rank: RANK, alpha: ALPHA, targets: TEXT_TARGETS },
      encoders,
      group: { name: "texts", start: own(true), learningRate: TEXT_RATE },
    };
    return { model, ...file, encoders, start, ofUnet: own(false), texts };
  };

  test.each(["normal", "low"] as const)(
    "losses, gradients and matrices are PyTorch's, with %s memory",
    async (memory) => {
      const { model, read, below, start, ofUnet, texts } = await opened();
      const { unet, scheduler } = model;
      const weights = await unet.load();
      const frozen = [...texts.encoders].flatMap((encoder) =>
        [...encoder.weights].map(([key, { data }]) => [key, data, data.slice()] as const),
      );
      const side = unet.config.sampleSize;
      const lora = { rank: RANK, alpha: ALPHA, targets: ATTENTION_TARGETS };
      const trainer = await createTrainer({
        config: unet.config,
        weights,
        trainable: trainLora(lora, ofUnet, { learningRate: RATE }),
        texts,
        objective(scope) {
          const { loss, ...losses } = objective(scope, settings);
          const distance = scope.displacement();
          return { loss: add(loss, mul(distance, settings.preserveWeight)), ...losses, distance };
        },
        batch: 2,
        latentSize: [side, side],
        textLength: 77,
        memory,
        session,
      });
      expect([...trainer.optimizer.parameters.keys()].sort()).toEqual([...start.keys()].sort());
      const inputs = textInputs(texts, 77);
      const textFeeds = async (as: string, kind: string, prompts: readonly string[]): Promise<Feeds> => {
        const { states, pooled } = startInputsOf(as);
        return {
          ...together(prompts.map((text) => inputs(text).feeds(as))),
          [states]: await read(`begun.${kind}.states`),
          ...(name === "sdxl" && { [pooled]: await read(`begun.${kind}.pooled`) }),
        };
      };
      const prompts = {
        ...(await textFeeds("prompt", "plain", PLAIN)),
        ...(await textFeeds("modifier", "modifier", MODIFIER)),
      };
      const schedule = noiseSchedule(scheduler);
      for (let step = 0; step < STEPS; step++) {
        const t = await read(`${step}.t`);
        const feeds: Record<string, Feeds[string]> = {
          ...prompts,
          timestep: t,
          label: await read(`${step}.label`),
          sizes: float32([64, 64, 0, 0, 64, 64, 64, 64, 0, 0, 64, 64], [2, 6]),
        };
        for (const kind of ["ref", "gen"]) {
          const [x, noise] = [await read(`${step}.${kind}.x`), await read(`${step}.${kind}.noise`)];
          feeds[`${kind}.noisy`] = addNoise(schedule, x, noise, [...t.data]);
          feeds[`${kind}.target`] = trainingTarget(schedule, x, noise, [...t.data]);
        }
        const curves = await trainer.backward(feeds);
        if (step === 0)
          for (const [key, { data }] of await below("grad.")) {
            const gradient = trainer.optimizer.gradients.get(key)?.data ?? [];
            expect([key, furthest(gradient, data) < 1e-3]).toEqual([key, true]);
          }
        const values = { ...curves, gradNorm: Float32Array.of(await trainer.optimizer.step()) };
        const expected = await below(`${step}.expected.`);
        expect(Object.keys(values).sort()).toEqual([...expected.keys()].sort());
        for (const [key, { data }] of expected)
          data.forEach((x, i) => {
            const actual = (values as Readonly<Record<string, Float32Array>>)[key][i];
            expect([key, Math.abs(actual - x) <= 1e-4 * Math.max(1, Math.abs(x))]).toEqual([key, true]);
          });
      }
      for (const [key, { data }] of await below("param.")) {
        const before = start.get(key)?.data ?? data;
        const after = trainer.optimizer.parameters.get(key)?.data ?? before;
        const rms = (of: (i: number) => number) => Math.hypot(...data.map((_, i) => of(i)));
        expect([key, rms((i) => after[i] - data[i]) < 5e-3 * rms((i) => data[i] - before[i])]).toEqual([key, true]);
      }
      for (const [key, data, before] of frozen) expect([key, data]).toEqual([key, before]);
      await trainer.release();
    },
  );

  test("texts are read with the matrices as they are, and as they began where the starting model reads them", async () => {
    const { read, texts } = await opened();
    const begun = trainTextEncoders({ rank: RANK, loraAlpha: ALPHA, learningRate: RATE, seed: 0 }, texts.encoders);
    expect([...begun.group.start.keys()].sort()).toEqual([...texts.group.start.keys()].sort());
    const parameters = new Map(
      [...begun.group.start].map(([key, { shape, data }]) => [key, float32(data.slice(), shape)]),
    );
    const live = await openLiveTexts(begun, [...PLAIN, ...MODIFIER, ""], { ...session, parameters });
    const compare = async (prefix: string) => {
      for (const [kind, prompts] of Object.entries({ plain: PLAIN, modifier: MODIFIER }))
        for (const what of name === "sdxl" ? (["states", "pooled"] as const) : (["states"] as const)) {
          const actual = stack(prompts.flatMap((text) => live.of(text)[what] ?? []));
          expect(furthest(actual.data, (await read(`${prefix}.${kind}.${what}`)).data)).toBeLessThan(1e-4);
        }
    };
    await compare("begun");
    for (const [key, { data }] of texts.group.start) parameters.get(key)?.data.set(data);
    await live.refresh(new Set([...PLAIN, ...MODIFIER, ""]));
    await compare("texts");
    const { states, pooled } = startInputsOf("modifier");
    const fed = MODIFIER.map((text) => live.of(text).inputs?.feeds("modifier") ?? {});
    expect(furthest(together(fed)[states].data, (await read("begun.modifier.states")).data)).toBeLessThan(1e-4);
    if (name === "sdxl")
      expect(furthest(together(fed)[pooled].data, (await read("begun.modifier.pooled")).data)).toBeLessThan(1e-4);
    await live.release();
  });
});
