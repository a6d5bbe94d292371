import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { noiseSchedule } from "../../src/diffusion/schedule.ts";
import { CUDA_DIALECT, CPU_DIALECT, inHalves, LOSS_SCALE, WEBGPU_DIALECT } from "../../src/graph/dialect.ts";
import { feedName } from "../../src/graph/encode.ts";
import { gradient } from "../../src/graph/gradient.ts";
import type { Value } from "../../src/graph/graph.ts";
import { objective } from "../../src/methods/rpo/objective.ts";
import { ATTENTION_TARGETS } from "../../src/nn/lora.ts";
import { compileTraining } from "../../src/runtime/training.ts";
import { float32, zeros, type HostTensor } from "../../src/tensor/tensor.ts";
import { toFloat32 } from "../../src/tensor/half.ts";
import { inputOf, readAll, readCase } from "../../src/tools/parity/case.ts";
import { feedsOf, startOf } from "../../src/tools/parity/rpo.ts";
import { buildObjective, type Losses } from "../../src/training/objective-scope.ts";
import { trainLora } from "../../src/training/trainable.ts";
import { textWeights } from "../../src/training/trained-texts.ts";
import type { Feeds } from "../../src/training/trainer.ts";
import { runNodeByNode } from "../engine/node-by-node.ts";
import { root } from "../run/cli.ts";
import { some } from "../thorough.ts";
import { openGolden } from "./golden.ts";
import { CASES as TEXT_CASES, openCase } from "./text-lora-case.ts";

/**
 * A step of RPO in mixed precision, each value rounded as its graph says, against the same step in float32 and as PyTorch's autocast makes it:
 * tests/golden/mixed/make.py.
 */

const CASES = [
  ["tiny", "tiny/checkpoints", "rpo-sd15-lora-modifier"],
  ["sdxl", "parity/checkpoints", "rpo-sdxl-lora-modifier"],
] as const;

/** With 2^16 some gradients of probabilities in SDXL's case are beyond 65504: a training would halve the scale. */
const SCALE = 2 ** 14;

async function stepOf([folder, checkpoints, name]: readonly [string, string, string]) {
  const golden = (path: string) => join(root, "tests/golden", path);
  const parityCase = await readCase(golden(`${folder}/cases/${name}`), name, golden(checkpoints));
  const { unet, scheduler } = await openStableDiffusion(parityCase.checkpoint);
  const { settings } = parityCase;
  const lora = settings["lora"] as { rank: number; alpha: number };
  const start = startOf(parityCase);
  const [batch, , height, width] = inputOf(parityCase, "0.x_ref").shape;
  const losses: () => Losses = () =>
    buildObjective(
      (scope) => objective(scope, { condition: "modifier", beta: settings["beta"] as number, preference: true }),
      unet.config,
      trainLora({ ...lora, targets: ATTENTION_TARGETS }, start, { learningRate: 0 }),
      { batch, latentSize: [height, width], textLength: inputOf(parityCase, "0.prompt").shape[1] },
    );
  const weights = new Map<string, HostTensor>([...(await unet.loadHalved()), ...start]);
  const feeds = { ...feedsOf(parityCase, 0, noiseSchedule(scheduler)), [LOSS_SCALE]: float32([SCALE], []) };
  const single = new Map(
    [...parityCase.expected].map(([key, { data }]) => [
      key.replace(".default.", ".").replace(/^0\./, ""),
      Float64Array.from(data),
    ]),
  );
  const autocast = new Map(
    [...(await readAll(golden(`mixed/${name}.safetensors`)))].map(([key, { data }]) => [key, Float64Array.from(data)]),
  );
  return { losses, trained: [...start.keys()], weights, feeds, single, autocast };
}

const TRAININGS = [
  ["normal", CPU_DIALECT],
  ["low", CPU_DIALECT],
  ["normal", CUDA_DIALECT],
  ["low", WEBGPU_DIALECT],
  ["normal", WEBGPU_DIALECT],
] as const;

type Numbers = ReadonlyMap<string, Float64Array>;

/** Of the gradients: the smallest cosine, and by how much a norm is off. */
function compare(actual: Numbers, expected: Numbers): { readonly cosine: number; readonly norm: number } {
  let [cosine, norm, count] = [1, 0, 0];
  for (const [name, y] of expected) {
    const x = actual.get(name);
    if (!name.startsWith("grad.") || x === undefined) continue;
    const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    cosine = Math.min(cosine, dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)));
    norm = Math.max(norm, Math.abs(Math.sqrt(dot(x, x) / dot(y, y)) - 1));
    count++;
  }
  expect(count).toBeGreaterThan(60);
  return { cosine, norm };
}

const unscaled = ({ data }: { readonly data: Float32Array }) => Float64Array.from(data, (x) => x / SCALE);

/** A graph's results with its gradients, each value rounded as the graph says. */
async function roundedResults(
  { loss, ...curves }: Losses,
  trained: readonly string[],
  weights: ReadonlyMap<string, HostTensor>,
  feeds: Feeds,
): Promise<Numbers> {
  const parameters = trained.flatMap((name) => loss.graph.parameters.get(name) ?? []);
  const dialect = inHalves(CPU_DIALECT);
  const outputs: Record<string, Value> = { ...curves };
  gradient(loss, parameters, dialect).forEach((grad, i) => (outputs[`grad.${trained[i]}`] = grad));
  const given = new Map<string, HostTensor>();
  for (const [name, tensor] of weights) given.set(feedName({ kind: "parameter", name }), tensor);
  for (const [name, tensor] of Object.entries(feeds)) given.set(feedName({ kind: "input", name }), tensor);
  const halves = new Set([...weights].filter(([, { dtype }]) => dtype === "float16").map(([name]) => name));
  const results = await runNodeByNode(outputs, given, { dialect, halves });
  return new Map(
    [...results].map(([name, tensor]) => {
      const floats = tensor.dtype === "int32" ? zeros([0]) : toFloat32(tensor);
      return [name, name.startsWith("grad.") ? unscaled(floats) : Float64Array.from(floats.data)] as const;
    }),
  );
}

describe.each(CASES.map((which) => ({ name: which[0], which })))("$name", ({ which }) => {
  test("rounded as the graph says, losses and gradients are those of float32 and of PyTorch's autocast", async () => {
    const { losses, trained, weights, feeds, single, autocast } = await stepOf(which);
    const numbers = await roundedResults(losses(), trained, weights, feeds);
    for (const expected of [single, autocast]) {
      const { cosine, norm } = compare(numbers, expected);
      expect(cosine).toBeGreaterThan(0.999);
      expect(norm).toBeLessThan(0.02);
      for (const name of ["sim", "pref", "margin"])
        numbers.get(name)?.forEach((x, i) => expect(Math.abs(x - (expected.get(name)?.[i] ?? NaN))).toBeLessThan(2e-3));
    }
  });

  test.each(some(TRAININGS, CASES.length, CASES.indexOf(which)))(
    "as a training, with %s memory, in every device's words",
    async (memory, dialect) => {
      const { losses, trained, weights, feeds, single } = await stepOf(which);
      const gradients = new Map(trained.map((name) => [name, zeros(weights.get(name)?.shape ?? [])]));
      const options = { threads: 2, parameters: weights, gradients, memory, dialect: inHalves(dialect) };
      const graph = await compileTraining(losses(), options);
      const { sim } = await graph.run(feeds);
      await graph.release();
      const numbers = new Map([...gradients].map(([name, tensor]) => [`grad.${name}`, unscaled(tensor)]));
      const { cosine, norm } = compare(numbers, single);
      expect(cosine).toBeGreaterThan(0.999);
      expect(norm).toBeLessThan(0.02);
      expect(Math.abs(sim.data[0] - (single.get("sim")?.[0] ?? NaN))).toBeLessThan(2e-3);
    },
  );
});

test.each(some(TEXT_CASES, 2).map((which) => ({ name: which[0], which })))(
  "beside a mixed U-Net ($name) the text encoders that train stay in float32: PyTorch's losses and gradients",
  async ({ name, which }) => {
    const { model, texts, start, training, below, feedsAt } = await openCase(which);
    const losses = buildObjective(training.objective, training.config, training.trainable, training);
    const weights = new Map<string, HostTensor>([...(await model.unet.loadHalved()), ...textWeights(texts), ...start]);
    const feeds = { ...(await feedsAt(0)), [LOSS_SCALE]: float32([SCALE], []) };
    const numbers = await roundedResults(losses, [...start.keys()], weights, feeds);
    const mixed = await openGolden(`mixed/text-lora-${name}.safetensors`);
    const expected = new Map([...(await mixed.below(""))].map(([key, { data }]) => [key, Float64Array.from(data)]));
    const { cosine, norm } = compare(numbers, expected);
    expect(cosine).toBeGreaterThan(0.999);
    expect(norm).toBeLessThan(0.02);
    for (const key of ["sim", "pref", "margin", "floor", "distance"])
      numbers.get(key)?.forEach((x, i) => expect(Math.abs(x - (expected.get(key)?.[i] ?? NaN))).toBeLessThan(2e-3));
    // all in float32: matrices of the U-Net's LoRA and of the text encoders'
    const distance = (await below("0.expected.")).get("distance")?.data[0] ?? NaN;
    expect(Math.abs((numbers.get("distance")?.[0] ?? NaN) / distance - 1)).toBeLessThan(1e-6);
  },
);
