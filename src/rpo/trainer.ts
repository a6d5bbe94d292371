import { Graph } from "../graph/graph.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { createAdamW, type AdamW } from "../nn/adamw.ts";
import { withLora, type LoraConfig } from "../nn/lora.ts";
import { join, rootScope } from "../nn/scope.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { assemble } from "../runtime/resources.ts";
import { compileTraining } from "../runtime/training.ts";
import type { Float32Tensor, Tensor } from "../tensor/tensor.ts";
import { objective, objectiveInputs, type Denoiser, type ObjectiveOptions } from "./objective.ts";

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

/** What the objective's graph is fed: see `objectiveInputs` for the shapes. */
export type ObjectiveFeeds = Readonly<
  Record<"ref.noisy" | "ref.target" | "gen.noisy" | "gen.target" | "timestep" | "prompt" | "modifier" | "label", Tensor>
>;

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
  const denoiser =
    (scope: typeof base): Denoiser =>
    (sample, timestep, text) =>
      unet(scope, config, { sample, timestep, text });
  const inputs = objectiveInputs(
    (name, shape) => graph.input(name, shape),
    [batch, config.inChannels, ...latentSize],
    [batch, textLength, config.crossAttentionDim],
  );
  return objective(denoiser(policyScope), denoiser(referenceScope), inputs, rest);
}
