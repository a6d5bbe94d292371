import { describe, expect, test } from "vitest";
import { stack, float32 } from "../../src/tensor/tensor.ts";
import { openLiveTexts } from "../../src/training/live-texts.ts";
import { trainTextEncoders } from "../../src/training/text-lora.ts";
import { createTrainer } from "../../src/training/trainer.ts";
import { startInputsOf } from "../../src/training/trained-texts.ts";
import { together } from "./golden.ts";
import { ALPHA, CASES, MODIFIER, openCase, PLAIN, RANK, RATE } from "./text-lora-case.ts";

/** A LoRA of U-Net and text encoders against what PyTorch made of it: tests/golden/text-lora/make.py. */

const STEPS = 3;
const session = { threads: 1 };

const furthest = (actual: ArrayLike<number>, expected: Float32Array): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - actual[i]))) / Math.max(...expected.map(Math.abs));

describe.each(CASES.map((which) => ({ name: which[0], which })))("$name", ({ name, which }) => {
  test.each(["normal", "low"] as const)(
    "losses, gradients and matrices are PyTorch's, with %s memory",
    async (memory) => {
      const { model, below, start, texts, training, feedsAt } = await openCase(which);
      const frozen = [...texts.encoders].flatMap((encoder) =>
        [...encoder.weights].map(([key, { data }]) => [key, data, data.slice()] as const),
      );
      const trainer = await createTrainer({ ...training, weights: await model.unet.load(), memory, session });
      expect([...trainer.optimizer.parameters.keys()].sort()).toEqual([...start.keys()].sort());
      for (let step = 0; step < STEPS; step++) {
        const curves = await trainer.backward(await feedsAt(step));
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
    const { read, texts } = await openCase(which);
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
