import { cp, mkdir, mkdtemp, realpath, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { writeCrossAttention } from "../../checkpoints/cross-attention.ts";
import { writeNumberedWord, writeWord } from "../../checkpoints/embeddings/word-files.ts";
import { fingerprint } from "../../checkpoints/hashes.ts";
import { growConfig, startRun } from "../../runs/config.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { textOf } from "../../system/message.ts";
import { float32 } from "../../tensor/tensor.ts";
import { originOf } from "./origin.ts";
import { resolveMerge } from "./resolve.ts";

/** What `rpo merge` takes and refuses, before it reads weights. */

const MODEL = fileURLToPath(new URL("../../../tests/golden/tiny/checkpoints/sd15-tiny", import.meta.url));
const WEIGHTS = join(MODEL, "unet", "diffusion_pytorch_model.safetensors");
const STEP = "checkpoints/000004";
const versions = { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" };
const temporaryFolder = async () => realpath(await mkdtemp(join(tmpdir(), "rpo-merge-")));

const weightsOf = (seed: number) =>
  new Map([["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", float32(Float32Array.of(seed), [1, 1])]]);

/** A checkpoint by its form: what is in it is not read here. */
async function checkpoint(folder: string, seed: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeCrossAttention(folder, weightsOf(seed));
  await writeWord(folder, "[V]", [float32(Float32Array.of(seed), [1, 1])]);
  return folder;
}

interface MadeRun {
  readonly seed: number;
  readonly token?: string;
  readonly class?: string;
  /** The hash of the model's weights. */
  readonly hash?: string;
  readonly model?: string;
}

async function makeRun({ seed, token = "[V]", class: noun = "dog", hash, model = MODEL }: MadeRun): Promise<string> {
  const output = join(await temporaryFolder(), `run-${seed}`);
  const hashes = { [join(model, "unet/diffusion_pytorch_model.safetensors")]: hash ?? (await fingerprint(WEIGHTS)) };
  const paths = { model, reward: "/r", images: "/photos", output };
  const settings = { ...TRAIN_DEFAULTS, ...paths, class: noun, token, learningRate: 1e-4, resolution: 64, threads: 1 };
  await startRun({ ...settings, method: "custom" }, { versions, hashes: { ...hashes, "/photos/0.png": String(seed) } });
  await checkpoint(join(output, STEP), seed);
  return output;
}

const step = (run: string) => join(run, STEP);

async function merged(folders: readonly string[], { model, classes }: { model?: string; classes?: string[] } = {}) {
  const warnings: string[] = [];
  const interaction = {
    fetch: () => Promise.reject(new Error("offline")),
    warn: (line: string) => warnings.push(textOf(line)),
  };
  const wanted = { model, classes, captions: undefined, output: "out", threads: 1 };
  return { ...(await resolveMerge(folders, wanted, interaction)), warnings };
}

const refusal = (...asked: Parameters<typeof merged>) =>
  merged(...asked).then(
    () => "taken",
    (error: unknown) => textOf((error as Error).message),
  );

test("a copy of a run is the same subject, also at another step, after more steps, or as a folder of weights alone", async () => {
  const [dog, teapot] = [await makeRun({ seed: 1 }), await makeRun({ seed: 2, class: "teapot" })];
  const copy = join(await temporaryFolder(), "copy");
  await cp(dog, copy, { recursive: true });
  const told = `${step(copy)} is of the same training as ${step(dog)}, or a copy: one subject`;
  expect(await refusal([step(dog), step(teapot), step(copy)])).toContain(told);
  await checkpoint(step(copy), 3);
  expect(await refusal([step(dog), step(copy)])).toContain(told);
  await growConfig(copy, 5000);
  expect(await refusal([step(dog), step(copy)])).toContain(told);
  const weights = join(await temporaryFolder(), "weights");
  await cp(step(dog), weights, { recursive: true });
  expect(await refusal([step(dog), weights], { model: MODEL, classes: ["dog", "cat"] })).toContain("the same training");
  expect(await merged([step(dog), step(teapot)])).toMatchObject({ model: MODEL, warnings: [] });
});

test("the same settings with other photos are another subject", async () => {
  const folders = [step(await makeRun({ seed: 1 })), step(await makeRun({ seed: 2 }))];
  expect((await merged(folders)).concepts.map(({ word }) => word)).toEqual(["<new1>", "<new2>"]);
});

test("a run that was trained on another model is refused, wherever --model says that it is", async () => {
  const [own, other] = [await makeRun({ seed: 1 }), await makeRun({ seed: 2, hash: "another" })];
  const told = `${WEIGHTS}: not what ${other} was trained on (${MODEL})`;
  expect(await refusal([step(own), step(other)], { model: MODEL })).toContain(told);
  expect(await refusal([step(own), step(other)])).toContain(told);
  const moved = await makeRun({ seed: 2, model: "/gone" });
  expect(await merged([step(own), step(moved)], { model: MODEL })).toMatchObject({ model: MODEL, warnings: [] });
});

test("a merge of a merge is refused, with what the first is of", async () => {
  const [dog, teapot] = [await makeRun({ seed: 1 }), await makeRun({ seed: 2 })];
  const folder = await temporaryFolder();
  const first = join(folder, "first");
  await mkdir(first);
  const { concepts } = await merged([step(dog), step(teapot)], { classes: ["dog", "teapot"] });
  await writeCrossAttention(first, weightsOf(3), originOf(concepts));
  await writeNumberedWord(first, 1, "<new1>", [float32(Float32Array.of(1), [1, 1])]);
  const told = await refusal([first, step(dog)], { model: MODEL, classes: ["a", "b"] });
  expect(told).toContain(
    `${first}: a merge already, of run-1-000004 ("<new1> dog") and run-2-000004 ("<new2> teapot"); give those`,
  );
  const theirs = join(folder, "theirs");
  await mkdir(theirs);
  await writeCrossAttention(theirs, weightsOf(3));
  await rename(join(first, "word-1.safetensors"), join(theirs, "<new1>.safetensors"));
  const others = await refusal([step(dog), theirs], { model: MODEL, classes: ["a", "b"] });
  expect(others).toContain(`${theirs}: holds several subjects already`);
});

test("words keep their names where all have another, but for one that is in a class", async () => {
  const dog = step(await makeRun({ seed: 1, token: "Teapot" }));
  const teapot = step(await makeRun({ seed: 2, token: "sks", class: "red teapot" }));
  const cat = step(await makeRun({ seed: 3, token: "zwx", class: "cat" }));
  expect((await merged([teapot, cat])).concepts.map(({ word }) => word)).toEqual(["sks", "zwx"]);
  const { concepts, warnings } = await merged([teapot, dog]);
  expect(concepts.map(({ word }) => word)).toEqual(["<new1>", "<new2>"]);
  expect(warnings).toEqual([expect.stringContaining(`Teapot, the word of ${dog}, is in the class of a subject too`)]);
});

test("a checkpoint that is of no run needs its model and class named", async () => {
  const dog = step(await makeRun({ seed: 1 }));
  const alone = await checkpoint(join(await temporaryFolder(), "alone"), 2);
  expect(await refusal([dog, alone])).toContain("classes is missing");
  expect(await refusal([dog, alone], { classes: ["dog", "cat"] })).toContain(
    `model is missing: ${alone} is no run, which would say what it was trained on`,
  );
});
