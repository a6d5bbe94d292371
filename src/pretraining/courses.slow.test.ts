import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IS_THOROUGH } from "../../tests/thorough.ts";
import { openStableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { Graph } from "../graph/graph.ts";
import { compile } from "../runtime/compile.ts";
import { float32 } from "../tensor/tensor.ts";
import { loadClipTokenizer } from "../text/clip.ts";
import { autoencoderCourse } from "./autoencoder.ts";
import { denoiserCourse } from "./denoiser.ts";
import { fidelityOf } from "./fidelity.ts";
import { writeDiffusionFolder } from "./folder.ts";
import { openLatents, type Latents } from "./latents.ts";
import type { Weights } from "./loop.ts";
import { openPictures, type PictureSet } from "./pictures.ts";
import { REFINE_RECIPE, TEXT_LENGTH, VAE_RECIPE } from "./recipes.ts";
import { lossesOnOneBatch, takeCourse } from "./testing/take-course.ts";
import { specialIds, worldBytePairs, writeClipTokenizer } from "./tokenizer.ts";
import type { Message } from "../system/named-setting.ts";

const session = { threads: 2 };
const bytePairs = worldBytePairs();

let folder: string;
let pictures: PictureSet;
/** Of a VAE that knows nothing. */
let latents: Latents;
const at = (name: string) => join(folder, name);
const small = { batch: 2, crop: 16, rate: { peak: 3e-3, warmup: 1, decay: 0 } };
const vae = (steps: number) => autoencoderCourse({ name: "vae", recipe: { ...VAE_RECIPE, ...small }, pictures, steps });
const denoiser = async (steps: number) => {
  const tokenizer = await loadClipTokenizer(at("byte-pairs"));
  return denoiserCourse({
    latents,
    caption: (index) => pictures.sample(index).caption,
    encode: (text) => tokenizer.encode(text).ids,
    textIds: specialIds(bytePairs),
    steps,
    batch: 2,
  });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-courses-"));
  pictures = await openPictures({ folder, name: "pictures", count: 8 });
  await writeClipTokenizer(at("byte-pairs"), bytePairs, TEXT_LENGTH);
  const opened = await openLatents({ path: at("latents.f32"), pictures, vae: vae(1).initial, session });
  if (opened === undefined) throw new Error("stopped");
  latents = opened;
});
afterAll(() => rm(folder, { recursive: true }));

test("fidelity is absolute, squared and neighbours' differences, each with its weight", async () => {
  const graph = new Graph();
  const shape = [1, 3, 2, 2];
  const values = fidelityOf(graph.input("decoded", shape), graph.input("pixels", shape), {
    squareWeight: 10,
    gradientWeight: 0.5,
  });
  const compiled = await compile(values, session);
  // half more in the left column, nothing in the right one
  const pixels = float32(Array<number>(12).fill(0.25), shape);
  const decoded = float32(
    Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 0.75 : 0.25)),
    shape,
  );
  const { fidelity, square } = await compiled.run({ decoded, pixels });
  await compiled.release();
  expect(square.data[0]).toBeCloseTo(0.125, 6);
  // along rows there is no difference, but the magnitude is smooth at zero: 0.001
  expect(fidelity.data[0]).toBeCloseTo(0.2505 + 10 * 0.125 + 0.5 * (0.001 + 0.5), 5);
});

describe.each([
  ["vae", (steps: number) => Promise.resolve(vae(steps))],
  ["sd", denoiser],
])("%s", (name, make) => {
  test("learns: twenty steps on one batch take a third off its loss", async () => {
    const losses = await lossesOnOneBatch(await make(20), at(`${name}-learns`));
    expect(losses[19]).toBeLessThan(0.67 * losses[0]);
  });

  test.runIf(name === "vae" || IS_THOROUGH)(
    "goes on bit for bit where it was stopped",
    { timeout: 180_000 },
    async () => {
      const whole = await takeCourse(await make(3), at(`${name}-whole`));
      await takeCourse(await make(3), at(`${name}-parts`), 1);
      const resumed = await takeCourse(await make(3), at(`${name}-parts`));
      expect([whole.done, resumed.done]).toEqual([true, true]);
      expect(resumed.average).toEqual(whole.average);
    },
  );
});

test("the autoencoder is refined from where its first course ended, on whole pictures", async () => {
  const first = await takeCourse(vae(3), at("refine-first"));
  const recipe = { ...REFINE_RECIPE, batch: 2 };
  const course = (initial: Weights) => autoencoderCourse({ name: "refine", recipe, pictures, steps: 1, initial });
  expect(course(first.average).initial).toEqual(first.average);
  expect((await course(first.average).feeds(1))["pixels"].shape).toEqual([2, 3, 64, 64]);
  const [after] = await lossesOnOneBatch(course(first.average), at("refine"));
  const [before] = await lossesOnOneBatch(course(vae(1).initial), at("refine-from-nothing"));
  expect(after).toBeLessThan(before);
});

test("latents are written once, scaled to a deviation of 1, and belong to their pictures", async () => {
  const again = await openLatents({
    path: at("latents.f32"),
    pictures,
    vae: new Map(), // not needed: nothing is encoded
    session,
  });
  expect(again?.scalingFactor).toBe(latents.scalingFactor);
  const all = latents.batch(Array.from({ length: pictures.count }, (_, i) => i)).data;
  const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
  expect(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length).toBeCloseTo(1, 3);
  expect(again?.batch([5]).data).toEqual(latents.batch([5]).data);
});

test("the folder that is written opens as a Stable Diffusion without a warning", async () => {
  const { scalingFactor } = latents;
  const model = { vae: vae(1).initial, denoiser: (await denoiser(1)).initial, scalingFactor, tokenizer: bytePairs };
  await writeDiffusionFolder(at("sd"), model);
  const warnings: Message[] = [];
  await openStableDiffusion(at("sd"), { warn: (line) => warnings.push(line) });
  expect(warnings).toEqual([]);
});
