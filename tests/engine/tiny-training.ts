import { unetGraph } from "../../src/checkpoints/graphs.ts";
import { objective } from "../../src/methods/rpo/objective.ts";
import type { UnetConfig } from "../../src/models/unet/config.ts";
import { ATTENTION_TARGETS, initialLora, type LoraConfig } from "../../src/nn/lora.ts";
import type { Device, Precision } from "../../src/runtime/device.ts";
import { Random } from "../../src/tensor/random.ts";
import { toFloat32, toHalf } from "../../src/tensor/half.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";
import { trainLora, trainWeights } from "../../src/training/trainable.ts";
import { createTrainer, type Feeds, type Trainer } from "../../src/training/trainer.ts";

/** Training of a tiny U-Net by RPO, for programs that look at what a device does. */

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

/** Of latents with so many pixels a side. */
export function feedsOf(step: number, side: number): Feeds {
  const rng = new Random(step);
  const latents = (name: string) => rng.split(name).normal([1, config.inChannels, side, side]);
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

export interface TinyTraining {
  readonly device: Device;
  readonly adapter: "lora" | "full";
  readonly memory: "normal" | "low";
  /** Of the latents. */
  readonly side: number;
  readonly precision?: Precision;
  /** Whether the matrices are the numbers that half precision has, in float32. */
  readonly rounded?: boolean;
}

export function createTinyTrainer({
  device,
  adapter,
  memory,
  side,
  precision,
  rounded,
}: TinyTraining): Promise<Trainer> {
  const weights = randomWeights();
  const rates = { learningRate: 1e-4 };
  const matrices = <T>(change: (matrix: Float32Tensor) => T) =>
    new Map([...weights].map(([name, tensor]) => [name, tensor.shape.length < 2 ? tensor : change(tensor)]));
  const inPrecision = () => {
    if (precision === "float16" || (precision === "mixed-float16" && adapter === "lora")) return matrices(toHalf);
    return rounded === true ? matrices((matrix) => toFloat32(toHalf(matrix))) : weights;
  };
  return createTrainer({
    config,
    weights: inPrecision(),
    trainable:
      adapter === "lora"
        ? trainLora(lora, initialLora(unetGraph(config, lora), new Random(1).split("lora")), rates)
        : trainWeights(weights, rates),
    objective: (scope) => objective(scope, { condition: "modifier", beta: 1, preference: true }),
    batch: 1,
    latentSize: [side, side],
    textLength: TOKENS,
    memory,
    session: { threads: 1, device, precision },
  });
}
