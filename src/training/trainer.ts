import type { UnetConfig } from "../models/unet/config.ts";
import { LOSS_SCALE } from "../graph/dialect.ts";
import { FIRST_LOSS_SCALE } from "../nn/loss-scale.ts";
import { createOptimizer, type Optimizer, type ParameterGroup } from "../nn/optimizer.ts";
import type { ProdigyOptions } from "../nn/prodigy.ts";
import { inTurn, type SessionOptions } from "../runtime/session-options.ts";
import { Stopped, type StopFlag } from "../runtime/backends/backend.ts";
import { assemble } from "../runtime/resources.ts";
import { dialectOfUnet } from "../runtime/mixed.ts";
import { createGradientSums } from "../runtime/gradient-sums.ts";
import { createGraphSet, type SharedRoom } from "../runtime/graph-set.ts";
import { compileTraining } from "../runtime/training.ts";
import { float32, type Shape, type Tensor, type Weight } from "../tensor/tensor.ts";
import {
  buildObjective,
  latentName,
  latentNameOf,
  type LatentSize,
  type Objective,
  type ObjectiveShapes,
} from "./objective-scope.ts";
import type { Trainable } from "./trainable.ts";
import { textWeights, type TrainedTexts } from "./trained-texts.ts";

export interface TrainerOptions extends Omit<ObjectiveShapes, "photoSize"> {
  /** Of the photos' latents, where these have buckets: a step's photos are of one of them. Default: of all pictures'. */
  readonly photoSizes?: readonly LatentSize[] | undefined;
  readonly config: UnetConfig;
  /** The starting U-Net's weights. Those that do not train may be in half precision. */
  readonly weights: ReadonlyMap<string, Weight>;
  readonly trainable: Trainable;
  /** Where it is updated by Prodigy. Default: by AdamW. */
  readonly prodigy?: ProdigyOptions | undefined;
  readonly objective: Objective;
  readonly memory: "normal" | "low";
  readonly session: SessionOptions;
  /** With whose graphs its own share the device. */
  readonly room?: SharedRoom | undefined;
}

/** What an objective's graph is fed, by the names that the objective gave its inputs. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** The values of an objective, by name; `loss` is what was minimized. */
export type Curves = Readonly<Record<string, Float32Array>>;

/** A method's objective, compiled, with the optimizer of what trains. */
export interface Trainer {
  readonly optimizer: Optimizer;
  /** The weights that the trained U-Net runs with. Updated in place by every step. */
  readonly policy: ReadonlyMap<string, Weight>;
  /** All that an objective's graph reads: those, frozen copies, and text encoders that train. */
  readonly parameters: ReadonlyMap<string, Weight>;
  /** What a step is fed. */
  readonly inputs: ReadonlyMap<string, Shape>;
  /** Leaves the gradients in the optimizer, scaled as it has it. */
  backward(feeds: Feeds, stop?: StopFlag): Promise<Curves>;
  /**
   * {@link Trainer.backward} for each batch, and an update by the mean of their gradients. `gradNorm` is the norm of all gradients before clipping; with a loss scale there was no update
   * where it is not finite.
   * @param options.rate times which the learning rates count; default 1
   * @param options.stop gives the step up before the update: the weights stay as they are
   * @returns the values of all batches, one after the other
   * @throws Stopped
   */
  step(
    feeds: Feeds | readonly Feeds[],
    options?: { readonly rate?: number; readonly stop?: StopFlag },
  ): Promise<{ readonly curves: Curves; readonly gradNorm: number }>;
  release(): Promise<void>;
}

/** A number for each curve: the mean over the pictures of the step. */
export function meansOf(curves: Curves): Record<string, number> {
  return Object.fromEntries(
    Object.entries(curves).map(([name, values]) => [name, values.reduce((sum, x) => sum + x, 0) / values.length]),
  );
}

/** For a step that may be given up. */
export function orUndefinedWhenStopped(error: unknown): undefined {
  if (!(error instanceof Stopped)) throw error;
}

/** Graphs of photos' sizes that are kept; of more the one is compiled again that has not run for longest. */
export const MOST_GRAPHS = 8;

function isSeveral(feeds: Feeds | readonly Feeds[]): feeds is readonly Feeds[] {
  return Array.isArray(feeds);
}

function joinedCurves(all: readonly Curves[]): Curves {
  if (all.length === 1) return all[0];
  const names = Object.keys(all[0]);
  return Object.fromEntries(names.map((name) => [name, Float32Array.from(all.flatMap((curves) => [...curves[name]]))]));
}

/** What trains. A LoRA of U-Net and text encoders is clipped as one, as diffusers' scripts and kohya's do. */
function groupsOf({ groups, beside }: Trainable, texts: TrainedTexts | undefined): ParameterGroup[] {
  const others = beside === undefined ? [] : [beside.group];
  if (texts === undefined) return [...groups, ...others];
  const all = [...groups, texts.group];
  return [...(texts.lora === undefined ? all : all.map((group) => ({ ...group, isClippedTogether: true }))), ...others];
}

export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { config, weights, trainable, texts, session, memory } = options;
  const groups = groupsOf(trainable, texts);
  const textsFrozen = texts === undefined ? [] : textWeights(texts);
  return assemble(async (own, release) => {
    const dialect = dialectOfUnet(session);
    const firstScale = dialect.halves ? FIRST_LOSS_SCALE : undefined;
    const optimizer = own(await createOptimizer(groups, session, { lossScale: firstScale, prodigy: options.prodigy }));
    const policy = new Map<string, Weight>([...weights, ...optimizer.parameters]);
    const parameters = new Map([...policy, ...trainable.frozen, ...textsFrozen]);
    const bySize = new Map((options.photoSizes ?? []).map((size) => [latentName(size), size]));
    const lossesOf = (photoSize: LatentSize | undefined) =>
      buildObjective(options.objective, config, trainable, { ...options, photoSize });
    const first = options.photoSizes?.at(0);
    const losses = lossesOf(first);
    const inputs = new Map([...losses.loss.graph.inputs].map(([name, { shape }]) => [name, shape]));
    const sharing = { dialect, parameters, gradients: optimizer.gradients, memory };
    const compileOptions = { ...inTurn(session, bySize.size), ...sharing };
    const graphs = own(
      createGraphSet(
        (name) => {
          const size = bySize.get(name);
          return compileTraining(size === first ? losses : lossesOf(size), compileOptions);
        },
        MOST_GRAPHS,
        options.room,
      ),
    );
    const nameOf = (feeds: Feeds): string => (first === undefined ? "" : latentNameOf(feeds["ref.noisy"]));
    await graphs.open(first === undefined ? "" : latentName(first));
    const sums = own(createGradientSums(optimizer.gradients, session));
    const backward: Trainer["backward"] = async (feeds, stop) => {
      const { lossScale } = optimizer;
      const scale = lossScale && { [LOSS_SCALE]: float32([lossScale.factor], []) };
      const results = await graphs.run(nameOf(feeds), { ...feeds, ...scale }, stop);
      return Object.fromEntries(
        Object.keys(losses).map((name) => [name, Float32Array.from(results[name].data, Number)]),
      );
    };
    return {
      optimizer,
      policy,
      parameters,
      inputs,
      backward,
      async step(given, { rate = 1, stop } = {}) {
        const batches = isSeveral(given) ? given : [given];
        const all: Curves[] = [];
        if (batches.length > 1) await sums.clear();
        for (const [i, feeds] of batches.entries()) {
          all.push(await backward(feeds, stop));
          // the last one's gradients take up the sum of the others'
          if (i < batches.length - 1) await sums.add();
          else if (i > 0) await sums.addTo();
        }
        return { curves: joinedCurves(all), gradNorm: await optimizer.step({ rate, count: batches.length }) };
      },
      release,
    };
  });
}
