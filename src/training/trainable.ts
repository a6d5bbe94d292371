import { join } from "node:path";
import { writeLora, type TextLora } from "../checkpoints/lora.ts";
import { unetGraph, type StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { add, matmul, mul, sub, sum } from "../graph/ops/index.ts";
import { repoOfSnapshot } from "../hub/cache.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { ATTENTION_TARGETS, FEED_FORWARD_TARGETS, initialLora, withLora, type LoraConfig } from "../nn/lora.ts";
import type { ParameterGroup } from "../nn/optimizer.ts";
import { join as joinNames, type Scope } from "../nn/scope.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { copyText } from "../system/files.ts";
import { Random } from "../tensor/random.ts";
import { writeSafetensors } from "../tensor/safetensors.ts";
import type { Float32Tensor, Weight } from "../tensor/tensor.ts";

type Weights = ReadonlyMap<string, Float32Tensor>;

/** What of a U-Net trains, and how the model reads it. */
export interface Trainable {
  /** The trained parameters, in groups that train alike. */
  readonly groups: readonly ParameterGroup[];
  /** The U-Net with the trained parameters. */
  policy(base: Scope): Scope;
  /** The U-Net as it began. */
  start(base: Scope): Scope;
  /** Weights that the starting U-Net alone reads, by the names that it has for them. */
  readonly frozen: Weights;
  /** See `ObjectiveScope.displacement`. */
  displacement(base: Scope): Value;
  /** The LoRA among them, which whoever draws with the trained weights has to know of. */
  readonly lora?: LoraConfig;
  /** Writes the trained parameters into a folder, where they are neither a LoRA nor all of a U-Net. */
  readonly write?: (folder: string, parameters: Weights) => Promise<void>;
  /** What trains beside the U-Net. */
  readonly beside?: Beside | undefined;
}

/** Parameters that a method's losses read and that the model is not made of. */
export interface Beside {
  /** Clipped by itself. */
  readonly group: ParameterGroup;
  /** Writes them into a checkpoint's folder. */
  write(folder: string, parameters: Weights): Promise<void>;
}

/** The U-Net as it is, where something else trains. */
export const TRAIN_NOTHING: Trainable = {
  groups: [],
  policy: (base) => base,
  start: (base) => base,
  frozen: new Map(),
  displacement: ({ graph }) => graph.scalar(0),
};

/** A LoRA beside the U-Net's weights, which stay as they are. @param start from {@link initialLora} */
export function trainLora(
  config: LoraConfig,
  start: Weights,
  rates: Omit<ParameterGroup, "name" | "start">,
): Trainable {
  return {
    groups: [{ name: "LoRA", start, ...rates }],
    policy: (base) => withLora(base, config),
    start: (base) => base,
    frozen: new Map(),
    displacement: ({ graph }) => loraDisplacement(config, start, graph),
    lora: config,
  };
}

/** ‖(alpha / rank) B A‖² over a LoRA's layers. @param start its matrices, by the names that the graph has for them */
export function loraDisplacement(config: LoraConfig, start: Weights, graph: Graph): Value {
  const layers = [...start.keys()].flatMap((name) => /^(.*)\.lora_A\.weight$/.exec(name)?.[1] ?? []);
  const parameter = (name: string) => graph.parameter(name, start.get(name)?.shape ?? []);
  return total(
    layers.map((layer) => {
      const [a, b] = ["lora_A", "lora_B"].map((side) => parameter(`${layer}.${side}.weight`));
      // ‖B A‖² = Σ (BᵀB) ∘ (A Aᵀ): matrices of the rank's size alone
      const squared = sum(mul(matmul(b, b, { transA: true }), matmul(a, a, { transB: true })));
      return mul(squared, (config.alpha / config.rank) ** 2);
    }),
  );
}

/** Prefix of the frozen copies of weights that train. */
const REFERENCE = "reference";

/**
 * The U-Net's own weights, or those of certain names. The starting values stay beside them.
 * @throws UsageError when they are in half precision, in which small steps would be lost
 */
export function trainWeights(
  weights: ReadonlyMap<string, Weight>,
  rates: Omit<ParameterGroup, "name" | "start">,
  isTrained: (name: string) => boolean = () => true,
): Trainable {
  const start = new Map([...weights].flatMap(([name, weight]) => (isTrained(name) ? [[name, trained(weight)]] : [])));
  const frozenName = (name: string) => joinNames(REFERENCE, name);
  const frozenScope = (base: Scope): Scope => ({
    ...base,
    at: (...names) => frozenScope(base.at(...names)),
    parameter(name, shape) {
      const full = joinNames(base.path, name);
      return base.graph.parameter(isTrained(full) ? frozenName(full) : full, shape);
    },
  });
  return {
    groups: [{ name: "U-Net", start, ...rates }],
    policy: (base) => base,
    start: frozenScope,
    frozen: new Map([...start].map(([name, tensor]) => [frozenName(name), tensor])),
    displacement: ({ graph }) =>
      total(
        [...start].map(([name, { shape }]) => {
          const difference = sub(graph.parameter(name, shape), graph.parameter(frozenName(name), shape));
          return sum(mul(difference, difference));
        }),
      ),
  };
}

function trained(weight: Weight): Float32Tensor {
  if (weight.dtype === "float32") return weight;
  throw new UsageError(
    say`${setting("precision", "float16")}: weights that train are float32; use ${setting("adapter", "lora")} or ${setting("precision", "float32")}`,
  );
}

function total(values: readonly Value[]): Value {
  return values.reduce((a, b) => add(a, b));
}

/** What the settings say should train: a LoRA, or all of the U-Net. @throws UsageError when the U-Net has nothing that a LoRA could adapt */
export function trainableOf(
  { adapter, learningRate, ...settings }: TrainSettings,
  config: UnetConfig,
  weights: ReadonlyMap<string, Weight>,
): Trainable {
  if (adapter === "full") return trainWeights(weights, { learningRate });
  const lora = loraConfig(settings);
  const start = initialLora(unetGraph(config, lora), new Random(settings.seed).split("lora"));
  if (start.size === 0)
    throw new UsageError(
      say`${setting("adapter", "lora")}: this U-Net has no attention to adapt; use ${setting("adapter", "full")}`,
    );
  return trainLora(lora, start, { learningRate });
}

function loraConfig({ rank, loraAlpha, targets }: Pick<TrainSettings, "rank" | "loraAlpha" | "targets">): LoraConfig {
  return {
    rank,
    alpha: loraAlpha,
    targets: targets === "attention" ? ATTENTION_TARGETS : [...ATTENTION_TARGETS, ...FEED_FORWARD_TARGETS],
  };
}

/**
 * Writes what was trained of a U-Net, and beside it: a LoRA's folder as PEFT has it, or the whole U-Net's as diffusers has it; nothing where nothing trains.
 * @param texts the text encoders' LoRA beside the U-Net's
 */
export async function writeTrained(
  folder: string,
  all: Weights,
  { lora, groups, write, beside }: Pick<Trainable, "lora" | "groups" | "write" | "beside">,
  { folder: model, configFolder }: Pick<StableDiffusion, "folder" | "configFolder">,
  texts: readonly TextLora[] = [],
): Promise<void> {
  const among = (some: readonly ParameterGroup[]) => {
    const names = new Set(some.flatMap(({ start }) => [...start.keys()]));
    return new Map([...all].filter(([name]) => names.has(name)));
  };
  // before the U-Net's own, without which a checkpoint is none
  if (beside !== undefined) await beside.write(folder, among([beside.group]));
  const parameters = among(groups);
  if (parameters.size === 0) return;
  if (write !== undefined) {
    await write(folder, parameters);
    return;
  }
  if (lora !== undefined) {
    await writeLora(folder, { ...lora, parameters, texts, base: repoOfSnapshot(model)?.repo ?? model });
    return;
  }
  if (texts.length > 0) throw new Error("a text encoder's LoRA has no file beside a whole U-Net");
  await copyText(join(configFolder, "unet", "config.json"), join(folder, "config.json"));
  const tensors = [...parameters].map(([name, tensor]) => ({ name, tensor }));
  await writeSafetensors(join(folder, "diffusion_pytorch_model.safetensors"), tensors);
}
