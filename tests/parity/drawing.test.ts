import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openStableDiffusion, unetGraph } from "../../src/checkpoints/stable-diffusion.ts";
import { createTextEncoder, type TextEmbedding, type TextEncoder } from "../../src/diffusion/text-encoding.ts";
import { createGenerator, type GenerateOptions, type Generator } from "../../src/diffusion/text-to-image.ts";
import { createVaeCodec, type VaeCodec } from "../../src/diffusion/vae-codec.ts";
import { ATTENTION_TARGETS, initialLora } from "../../src/nn/lora.ts";
import * as compilation from "../../src/runtime/compile.ts";
import { UsageError } from "../../src/system/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Float32Tensor } from "../../src/tensor/tensor.ts";

vi.mock(import("../../src/runtime/compile.ts"), async (original) => {
  const module = await original();
  return { ...module, compile: vi.fn(module.compile) };
});

const folderOf = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
const session = { threads: 1 };
const model = await openStableDiffusion(folderOf("tiny/checkpoints/sd15-tiny"));
const weights = await model.unet.load();
let vae: VaeCodec;
let encoder: TextEncoder;
let generator: Generator;
let dog: TextEmbedding;
let cat: TextEmbedding;
let common: Omit<GenerateOptions, "prompts" | "starts">;

beforeAll(async () => {
  vae = createVaeCodec({ config: model.vae.config, weights: await model.vae.load(), session });
  const [part] = model.textEncoders;
  const models = [{ ...part, weights: await part.load() }];
  encoder = await createTextEncoder({ models, zerosWithoutNegative: false, session });
  [dog, cat] = await encoder.encode(["a dog", "a cat"]);
  const negative = await encoder.encodeNegative(undefined);
  generator = generatorOf(weights);
  common = { negative, sampler: "dpm", steps: 3, guidanceScale: 3, height: 16, width: 16 };
});
afterAll(() => Promise.all([vae.release(), encoder.release(), generator.release()]));

function generatorOf(
  unetWeights: ReadonlyMap<string, Float32Tensor>,
  lora?: { rank: number; alpha: number },
): Generator {
  return createGenerator({
    unet: { config: model.unet.config, weights: unetWeights, lora: lora && { ...lora, targets: ATTENTION_TARGETS } },
    vae,
    scheduler: model.scheduler,
    session,
  });
}

function largestDifference(a: Float32Tensor, b: Float32Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.data[i])), 0);
}

test("a picture depends on its own seed and prompt, whatever is drawn with it", async () => {
  const [alone] = await generator.generate({ ...common, prompts: [cat], starts: [5] });
  const [, among] = await generator.generate({ ...common, prompts: [dog, cat, dog], starts: [4, 5, 6] });
  const [other] = await generator.generate({ ...common, prompts: [cat], starts: [6] });
  expect(largestDifference(alone, among)).toBeLessThan(1e-5);
  expect(largestDifference(alone, other)).toBeGreaterThan(1e-2);
});

test("drawing again repeats every bit and compiles nothing, a remainder included", async () => {
  const options = { ...common, prompts: [dog, dog, dog], starts: [1, 2, 3], batch: 2 };
  const first = await generator.generate(options);
  const before = vi.mocked(compilation.compile).mock.calls.length;
  const second = await generator.generate(options);
  expect(vi.mocked(compilation.compile).mock.calls.length).toBe(before);
  expect(second).toEqual(first);
});

test("guidance towards the negative text itself is no guidance", async () => {
  const options = { ...common, prompts: [dog], starts: [1] };
  const [same] = await generator.generate({ ...options, negative: dog });
  const [unguided] = await generator.generate({ ...options, negative: undefined, guidanceScale: 1 });
  const [guided] = await generator.generate(options);
  expect(largestDifference(same, unguided)).toBeLessThan(1e-5);
  expect(largestDifference(guided, unguided)).toBeGreaterThan(1e-3);
});

test("pictures need not be square nor have even latents, but whole latents", async () => {
  const [picture] = await generator.generate({ ...common, prompts: [dog], starts: [1], height: 10, width: 22 });
  expect(picture.shape).toEqual([3, 10, 22]);
  expect(picture.data.every((x) => x >= 0 && x <= 1)).toBe(true);
  const odd = generator.generate({ ...common, prompts: [dog], starts: [1], width: 17 });
  await expect(odd).rejects.toThrow(
    new UsageError("width 17: this model draws pictures whose sides are multiples of 2 pixels"),
  );
});

test("a LoRA changes pictures only once its B is not zero, and updates in place are seen", async () => {
  const lora = { rank: 2, alpha: 4 };
  const adapters = initialLora(unetGraph(model.unet.config, { ...lora, targets: ATTENTION_TARGETS }), new Random(0));
  const adapted = generatorOf(new Map([...weights, ...adapters]), lora);
  const options = { ...common, prompts: [dog], starts: [1] };
  const [base] = await generator.generate(options);
  const [untrained] = await adapted.generate(options);
  for (const [name, { data }] of adapters) if (name.endsWith("lora_B.weight")) data.fill(0.3);
  const [trained] = await adapted.generate(options);
  await adapted.release();
  expect(largestDifference(untrained, base)).toBeLessThan(1e-5);
  expect(largestDifference(trained, base)).toBeGreaterThan(1e-3);
});

test("progress counts pictures' steps, and an aborted drawing stops before its next step", async () => {
  const seen: string[] = [];
  const controller = new AbortController();
  const drawing = generator.denoise({
    ...common,
    prompts: [dog, dog, dog],
    starts: [1, 2, 3],
    batch: 2,
    signal: controller.signal,
    onStep(done, total) {
      seen.push(`${done}/${total}`);
      if (done === 7) controller.abort(new Error("enough"));
    },
  });
  await expect(drawing).rejects.toThrow("enough");
  expect(seen).toEqual(["2/9", "4/9", "6/9", "7/9"]);
});

test("a prompt is embedded once until the embeddings are forgotten", async () => {
  const [first, again] = await encoder.encode(["a hat", "a hat"]);
  expect(again).toBe(first);
  encoder.clear();
  const [anew] = await encoder.encode(["a hat"]);
  expect(anew).not.toBe(first);
  expect(anew).toEqual(first);
});

test("SDXL without a negative text steers away from zeros, with an empty one from its embedding", async () => {
  const xl = await openStableDiffusion(folderOf("parity/checkpoints/sdxl-tiny"));
  const models = [];
  for (const part of xl.textEncoders) models.push({ ...part, weights: await part.load() });
  const both = await createTextEncoder({ models, zerosWithoutNegative: xl.zerosWithoutNegative, session });
  const none = await both.encodeNegative(undefined);
  const empty = await both.encodeNegative("");
  await both.release();
  expect(none.states.shape).toEqual([77, 64]);
  expect(none.states.data.every((x) => x === 0) && none.pooled?.data.every((x) => x === 0)).toBe(true);
  expect(empty.states.data.some((x) => x !== 0)).toBe(true);
});
