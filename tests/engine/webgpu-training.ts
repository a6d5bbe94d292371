import { unetGraph } from "../../src/checkpoints/graphs.ts";
import type { UnetConfig } from "../../src/models/unet/config.ts";
import { ATTENTION_TARGETS, initialLora, type LoraConfig } from "../../src/nn/lora.ts";
import { objective } from "../../src/methods/rpo/objective.ts";
import { trainLora, trainWeights } from "../../src/training/trainable.ts";
import { createTrainer, type Feeds } from "../../src/training/trainer.ts";
import { BACKENDS } from "../../src/runtime/backends/index.ts";
import type { Device } from "../../src/runtime/device.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";

/**
 * A program: prints what two steps of training come to on the CPU and on a device, for a LoRA with much and with little memory and
 * for the whole U-Net, as JSON of {@link Comparison}s.
 */

export interface Comparison {
  readonly name: string;
  /** Of each step, on the CPU and on the device. */
  readonly losses: readonly (readonly [cpu: number, device: number])[];
  readonly norms: readonly (readonly [cpu: number, device: number])[];
  /** How far the first moments are apart after two steps, in parts of the largest. */
  readonly moments: number;
  /** Copies on the device while training, and after everything was released. */
  readonly held: readonly [during: number, after: number];
}

const config: UnetConfig = {
  sampleSize: 8,
  inChannels: 4,
  outChannels: 4,
  blockOutChannels: [8, 16],
  downAttention: [true, false],
  upAttention: [false, true],
  layersPerBlock: [1, 1],
  transformerLayers: [1, 1],
  heads: [2, 2],
  crossAttentionDim: 16,
  useLinearProjection: true,
  normGroups: 4,
  normEpsilon: 1e-5,
  downsamplePadding: 1,
  flipSinToCos: true,
  frequencyShift: 0,
  addition: undefined,
};
const lora: LoraConfig = { rank: 2, alpha: 2, targets: ATTENTION_TARGETS };
const TOKENS = 6;
const SIDE = 8;

/** Weights as they are drawn for training: variances of one over the inputs, normalisations near 1. */
function randomWeights(): Map<string, Float32Tensor> {
  const rng = new Random(5);
  return new Map(
    [...unetGraph(config).parameters].map(([name, { shape }]) => {
      const inputs = shape.slice(1).reduce((product, n) => product * n, 1);
      const mean = shape.length === 1 && name.endsWith("weight") ? 1 : 0;
      const deviation = shape.length === 1 ? 0.1 : 1 / Math.sqrt(inputs);
      const drawn = rng.split(name).normal(shape);
      return [
        name,
        float32(
          Float32Array.from(drawn.data, (x) => mean + deviation * x),
          shape,
        ),
      ];
    }),
  );
}

function feedsOf(step: number): Feeds {
  const rng = new Random(step);
  const latents = (name: string) => rng.split(name).normal([1, config.inChannels, SIDE, SIDE]);
  const text = (name: string) => rng.split(name).normal([1, TOKENS, config.crossAttentionDim]);
  return {
    "ref.noisy": latents("ref.noisy"),
    "ref.target": latents("ref.target"),
    "gen.noisy": latents("gen.noisy"),
    "gen.target": latents("gen.target"),
    timestep: float32([500], [1]),
    prompt: text("prompt"),
    modifier: text("modifier"),
    label: float32([1], [1]),
  };
}

async function trainOn(device: Device, adapter: "lora" | "full", memory: "normal" | "low") {
  const weights = randomWeights();
  const rates = { learningRate: 1e-4 };
  const trainer = await createTrainer({
    config,
    weights,
    trainable:
      adapter === "lora"
        ? trainLora(lora, initialLora(unetGraph(config, lora), new Random(1).split("lora")), rates)
        : trainWeights(weights, rates),
    objective: (scope) => objective(scope, { condition: "modifier", beta: 1, preference: true }),
    batch: 1,
    latentSize: [SIDE, SIDE],
    textLength: TOKENS,
    memory,
    session: { threads: 1, device },
  });
  const steps = [];
  for (const step of [1, 2]) steps.push(await trainer.step(feedsOf(step)));
  await trainer.optimizer.fetch();
  const moments = [...trainer.optimizer.moments.first.values()].flatMap(({ data }) => [...data]);
  const held = BACKENDS[device].memory.held;
  await trainer.release();
  return { steps, moments, held };
}

async function compare(adapter: "lora" | "full", memory: "normal" | "low"): Promise<Comparison> {
  const cpu = await trainOn("cpu", adapter, memory);
  const device = await trainOn("webgpu", adapter, memory);
  const largest = Math.max(...cpu.moments.map(Math.abs));
  return {
    name: `${adapter}, ${memory} memory`,
    losses: cpu.steps.map(({ curves }, i) => [curves["loss"][0], device.steps[i].curves["loss"][0]]),
    norms: cpu.steps.map(({ gradNorm }, i) => [gradNorm, device.steps[i].gradNorm]),
    moments: Math.max(...cpu.moments.map((m, i) => Math.abs(m - device.moments[i]))) / largest,
    held: [device.held, BACKENDS.webgpu.memory.held],
  };
}

const comparisons = [await compare("lora", "normal"), await compare("lora", "low"), await compare("full", "normal")];
process.stdout.write(JSON.stringify(comparisons));
