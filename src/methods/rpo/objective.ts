import type { Value } from "../../graph/graph.ts";
import { add, concat, logSigmoid, mean, mul, slice, sub } from "../../graph/ops/index.ts";
import type { Condition } from "../../settings/train-settings.ts";
import type { Shape } from "../../tensor/tensor.ts";

export interface ObjectiveOptions {
  readonly condition: Condition;
  readonly beta: number;
  /** False leaves L_sim alone: DreamBooth without its prior. */
  readonly preference: boolean;
}

/** What a denoiser reads of B texts. */
export interface TextCondition {
  /** [B, L, D] */
  readonly states: Value;
  /** SDXL: the whole of each text, [B, P]. */
  readonly pooled: Value | undefined;
}

/** Noisy latents, [B, C, H, W], timesteps [B], texts -> the model's prediction. */
export type Denoiser = (noisy: Value, timestep: Value, text: TextCondition) => Value;

/** One side of B pairs: noisy latents and what the model should predict from them. */
export interface Side {
  readonly noisy: Value;
  readonly target: Value;
}

export interface ObjectiveInputs {
  /** The photos. */
  readonly ref: Side;
  /** The starting model's own pictures of the modifier prompts. */
  readonly gen: Side;
  /** [B]: a pair shares its timestep. */
  readonly timestep: Value;
  /** "a photo of [V] dog" */
  readonly prompt: TextCondition;
  /** The modifier prompts. */
  readonly modifier: TextCondition;
  /** y, [B]: 1 prefers the photo; soft labels lie between. */
  readonly label: Value;
}

export interface Objective extends Record<string, Value> {
  readonly loss: Value;
  readonly sim: Value;
  readonly pref: Value;
  /** [B] */
  readonly margin: Value;
}

/**
 * The RPO objective (Miao et al., arXiv 2407.12164, Eq. 8), with e(x, t, c) the mean squared error of the prediction and e₀ that of
 * the frozen start:
 *
 *     L_sim  = e(x_ref, t, "a photo of [V] dog")
 *     margin = (e₀ - e)(x_ref, t, c_ref) - (e₀ - e)(x_gen, t, c_mod)
 *     L_pref = -[ y log σ(β margin) + (1 - y) log σ(-β margin) ]
 *     L      = L_sim + L_pref, averaged over the pairs
 */
export function objective(
  policy: Denoiser,
  reference: Denoiser,
  inputs: ObjectiveInputs,
  options: ObjectiveOptions,
): Objective {
  const { ref, gen, timestep, prompt, modifier, label } = inputs;
  if (!options.preference) {
    const sim = mean(squaredErrors(policy, [[ref, prompt]], timestep)[0]);
    const zero = mul(label, 0);
    return { loss: sim, sim, pref: mean(zero), margin: zero };
  }
  const refCondition = options.condition === "modifier" ? modifier : prompt;
  const pair: Pass[] = [
    [ref, refCondition],
    [gen, modifier],
  ];
  const [refStart, genStart] = squaredErrors(reference, pair, timestep);
  const passes = options.condition === "modifier" ? [[ref, prompt] as const, ...pair] : pair;
  const errors = squaredErrors(policy, passes, timestep);
  const [refError, genError] = errors.slice(-2);

  const margin = sub(sub(refStart, refError), sub(genStart, genError));
  const scaled = mul(margin, options.beta);
  // log σ(-x) = log σ(x) - x, so that -[y log σ(x) + (1 - y) log σ(-x)] = (1 - y) x - log σ(x)
  const pref = mean(sub(mul(sub(1, label), scaled), logSigmoid(scaled)));
  const sim = mean(errors[0]);
  return { loss: add(sim, pref), sim, pref, margin };
}

type Pass = readonly [side: Side, text: TextCondition];

/** The mean squared errors of several passes, each [B], from one run of the denoiser on all of them. */
function squaredErrors(denoise: Denoiser, passes: readonly Pass[], timestep: Value): Value[] {
  const stacked = (values: readonly Value[]) => concat(values, 0);
  const predicted = denoise(stacked(passes.map(([side]) => side.noisy)), stacked(passes.map(() => timestep)), {
    states: stacked(passes.map(([, { states }]) => states)),
    pooled: passes[0][1].pooled && stacked(passes.flatMap(([, { pooled }]) => pooled ?? [])),
  });
  const difference = sub(predicted, stacked(passes.map(([side]) => side.target)));
  const errors = mean(mul(difference, difference), [1, 2, 3]); // [passes · B]
  const batch = timestep.shape[0];
  return passes.map((_, i) => slice(errors, 0, i * batch, (i + 1) * batch));
}

/** Shapes of a batch's latents, [B, C, H, W], and texts, [B, L, D] and, in SDXL, [B, P]. */
export interface ObjectiveShapes {
  readonly latents: Shape;
  readonly states: Shape;
  readonly pooled: Shape | undefined;
}

/** Declares the objective's inputs on a graph, under the names that {@link ObjectiveFeeds} has. */
export function objectiveInputs(
  input: (name: string, shape: Shape) => Value,
  { latents, states, pooled }: ObjectiveShapes,
): ObjectiveInputs {
  const [batch] = latents;
  const text = (name: string): TextCondition => ({
    states: input(name, states),
    pooled: pooled && input(`${name}.pooled`, pooled),
  });
  const side = (name: string): Side => ({
    noisy: input(`${name}.noisy`, latents),
    target: input(`${name}.target`, latents),
  });
  return {
    ref: side("ref"),
    gen: side("gen"),
    timestep: input("timestep", [batch]),
    prompt: text("prompt"),
    modifier: text("modifier"),
    label: input("label", [batch]),
  };
}
