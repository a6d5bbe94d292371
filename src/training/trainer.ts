import { Graph } from "../graph/graph.ts";
import { concat } from "../graph/ops/index.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { createAdamW, type AdamW } from "../nn/adamw.ts";
import { withLora, type LoraConfig } from "../nn/lora.ts";
import { join, rootScope } from "../nn/scope.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { assemble } from "../runtime/resources.ts";
import { compileTraining } from "../runtime/training.ts";
import { float32, type Float32Tensor, type Tensor } from "../tensor/tensor.ts";
import { objective, objectiveInputs, type Denoiser, type ObjectiveOptions } from "../methods/rpo/objective.ts";

export interface TrainerOptions extends ObjectiveOptions {
  readonly config: UnetConfig;
  /** The starting U-Net's weights; a LoRA leaves them as they are, full fine-tuning copies them. */
  readonly weights: ReadonlyMap<string, Float32Tensor>;
  /** The LoRA to train and where it starts; absent for full fine-tuning. */
  readonly lora?: { readonly config: LoraConfig; readonly start: ReadonlyMap<string, Float32Tensor> };
  /** Pairs a step. */
  readonly batch: number;
  /** Height and width of the latents. */
  readonly latentSize: readonly [height: number, width: number];
  /** Tokens of a text embedding. */
  readonly textLength: number;
  readonly memory: "normal" | "low";
  readonly session: SessionOptions;
}

type Feed = "ref.noisy" | "ref.target" | "gen.noisy" | "gen.target" | "timestep" | "prompt" | "modifier" | "label";
/** What SDXL is fed beside: pooled texts, [B, P], and for both pictures of each pair their sizes, {@link sizesOf}. */
type AddedFeed = "prompt.pooled" | "modifier.pooled" | "sizes";

/** What the objective's graph is fed: see `objectiveInputs` for the shapes. */
export type ObjectiveFeeds = Readonly<Record<Feed, Tensor> & Partial<Record<AddedFeed, Tensor>>>;

/**
 * SDXL's size conditions of pictures that are trained at a resolution: height and width before cropping, top and left of the crop,
 * height and width aimed at, [B, 6]. As the authors' script has it, photos count as taken in this size.
 */
export function sizesOf(resolution: number, batch = 1): Float32Tensor {
  return float32(Array.from({ length: batch }, () => [resolution, resolution, 0, 0, resolution, resolution]).flat(), [
    batch,
    6,
  ]);
}

export interface StepResult {
  readonly sim: number;
  readonly pref: number;
  /** One for each pair. */
  readonly margin: Float32Array;
  /** Global norm before clipping. */
  readonly gradNorm: number;
}

/** The objective's compiled graph with its optimizer. */
export interface Trainer {
  readonly optimizer: AdamW;
  /** The weights that the trained U-Net runs with: base and LoRA, or the fine-tuned copy. Updated in place by every step. */
  readonly policy: ReadonlyMap<string, Float32Tensor>;
  /** The loss's parts; leaves the gradients in the optimizer. */
  backward(feeds: ObjectiveFeeds): Promise<Omit<StepResult, "gradNorm">>;
  /** {@link Trainer.backward} and an update. */
  step(feeds: ObjectiveFeeds, learningRate: number): Promise<StepResult>;
  release(): Promise<void>;
}

/** SDXL's size conditions of a picture. */
const SIZES = 6;

/** Features of a pooled text: what SDXL's added conditions are beside the sizes' embeddings. */
export function pooledFeatures({ inputDim, timeEmbedDim }: NonNullable<UnetConfig["addition"]>): number {
  return inputDim - SIZES * timeEmbedDim;
}

/** Prefix of the frozen copy's parameters in full fine-tuning. */
const REFERENCE = "reference";

export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { weights, lora, session } = options;
  return assemble(async (own, release) => {
    const optimizer = own(await createAdamW(lora?.start ?? weights, session));
    const policy = new Map([...weights, ...optimizer.parameters]);
    const parameters = new Map<string, Float32Tensor>(policy);
    if (lora === undefined) for (const [name, tensor] of weights) parameters.set(join(REFERENCE, name), tensor);
    const graph = own(
      await compileTraining(buildObjective(options), {
        ...session,
        parameters,
        gradients: optimizer.gradients,
        memory: options.memory,
      }),
    );
    const backward: Trainer["backward"] = async (feeds) => {
      const { sim, pref, margin } = await graph.run(feeds);
      return { sim: sim.data[0], pref: pref.data[0], margin: Float32Array.from(margin.data) };
    };
    return {
      optimizer,
      policy,
      backward,
      async step(feeds, learningRate) {
        const result = await backward(feeds);
        return { ...result, gradNorm: await optimizer.step({ learningRate }) };
      },
      release,
    };
  });
}

function buildObjective({ config, lora, batch, latentSize, textLength, ...rest }: TrainerOptions) {
  const graph = new Graph();
  const base = rootScope(graph);
  const policyScope = lora === undefined ? base : withLora(base, lora.config);
  const referenceScope = lora === undefined ? rootScope(graph, REFERENCE) : base;
  const { addition } = config;
  const sizes = addition && graph.input("sizes", [batch, SIZES]);
  const denoiser =
    (scope: typeof base): Denoiser =>
    (sample, timestep, { states: text, pooled }) => {
      if (pooled === undefined || sizes === undefined) return unet(scope, config, { sample, timestep, text });
      const timeIds = concat(
        Array.from({ length: sample.shape[0] / batch }, () => sizes),
        0,
      );
      return unet(scope, config, { sample, timestep, text, added: { pooled, timeIds } });
    };
  const inputs = objectiveInputs((name, shape) => graph.input(name, shape), {
    latents: [batch, config.inChannels, ...latentSize],
    states: [batch, textLength, config.crossAttentionDim],
    pooled: addition && [batch, pooledFeatures(addition)],
  });
  return objective(denoiser(policyScope), denoiser(referenceScope), inputs, rest);
}
