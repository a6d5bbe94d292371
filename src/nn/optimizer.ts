import type { SessionOptions } from "../runtime/session-options.ts";
import { assemble, type Own } from "../runtime/resources.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { clipOf, createAdamW, type AdamW } from "./adamw.ts";
import type { Distance, OptimizerPart, OptimizerState } from "./kept-state.ts";
import { nextLossScale, type LossScale } from "./loss-scale.ts";
import { createProdigyPart, FIRST_DISTANCE, stepProdigy, type ProdigyOptions, type ProdigyPart } from "./prodigy.ts";

/** Parameters that train alike. */
export interface ParameterGroup {
  /** For messages: "LoRA". */
  readonly name: string;
  /** Where they begin, by the names that a graph has for them; copied. */
  readonly start: ReadonlyMap<string, Float32Tensor>;
  readonly learningRate: number;
  /** Default: AdamW's. */
  readonly weightDecay?: number | undefined;
  /** The group's gradients are scaled down to this norm when theirs is larger. Default: AdamW's. */
  readonly maxGradNorm?: number | undefined;
  /** Whether the norm that counts is that of all groups which say so, and not the group's own. Default: no. */
  readonly isClippedTogether?: boolean;
}

/** AdamW or Prodigy over groups of parameters, each with its own rate, decay and clipping. */
export interface Optimizer extends OptimizerState {
  /** Where a step's gradients are to be written before {@link Optimizer.step}. */
  readonly gradients: ReadonlyMap<string, Float32Tensor>;
  /**
   * Updates the parameters in place. With a loss scale the step is passed over, and the scale halved, where a gradient is not finite.
   * @param options.rate times which the groups' own rates count; default 1
   * @param options.count of how many the gradients are the sum, whose mean is wanted; default 1
   * @returns the norm of all gradients before clipping
   */
  step(options?: { readonly rate?: number; readonly count?: number }): Promise<number>;
  release(): Promise<void>;
}

export interface OptimizerOptions {
  /** Of the gradients, where they are scaled. */
  readonly lossScale?: LossScale | undefined;
  /** Where it is Prodigy, not AdamW. */
  readonly prodigy?: ProdigyOptions | undefined;
}

/** What updates the groups' parameters, in the groups' order. */
interface Rule {
  readonly parts: readonly OptimizerPart[];
  stepCount: number;
  distance?: Distance | undefined;
  /** @param norms of each group's gradients as they are, by which they are clipped; @param scale what the gradients are times of what they should be */
  update(norms: readonly number[], options: { readonly rate: number; readonly scale: number }): Promise<void>;
}

/** @throws Error when two groups have a parameter of the same name, or with Prodigy another rate */
export async function createOptimizer(
  groups: readonly ParameterGroup[],
  session: SessionOptions,
  { lossScale, prodigy }: OptimizerOptions = {},
): Promise<Optimizer> {
  return assemble(async (own, release) => {
    const rule =
      prodigy === undefined
        ? await createAdamWRule(groups, session, own)
        : await createProdigyRule(groups, session, own, prodigy);
    const { parts } = rule;
    const all = (of: (part: OptimizerPart) => ReadonlyMap<string, Float32Tensor>) => union(parts.map(of));
    const optimizer: Optimizer = {
      lossScale,
      parameters: all(({ parameters }) => parameters),
      gradients: all(({ gradients }) => gradients),
      moments: {
        first: all(({ moments }) => moments.first),
        second: all(({ moments }) => moments.second),
        ...(prodigy !== undefined && { weighted: all(({ moments }) => moments.weighted ?? new Map()) }),
      },
      async fetch() {
        for (const part of parts) await part.fetch();
      },
      async send() {
        for (const part of parts) await part.send();
      },
      get stepCount() {
        return rule.stepCount;
      },
      set stepCount(count) {
        rule.stepCount = count;
      },
      get distance() {
        return rule.distance;
      },
      set distance(distance) {
        rule.distance = distance;
      },
      async step({ rate = 1, count = 1 } = {}) {
        const { lossScale: scaled } = optimizer;
        const scale = (scaled?.factor ?? 1) * count;
        const norms: number[] = [];
        for (const part of parts) norms.push(await part.gradNorm());
        const norm = together(norms) / scale;
        const shared = together(norms.filter((_, i) => groups[i].isClippedTogether === true));
        if (scaled !== undefined) {
          const isFinite = Number.isFinite(norm);
          optimizer.lossScale = nextLossScale(scaled, isFinite);
          if (!isFinite) return norm;
        }
        const clipped = norms.map((own, i) => (groups[i].isClippedTogether === true ? shared : own));
        await rule.update(clipped, { rate, scale });
        return norm;
      },
      release,
    };
    return optimizer;
  });
}

async function createAdamWRule(groups: readonly ParameterGroup[], session: SessionOptions, own: Own): Promise<Rule> {
  const parts: AdamW[] = [];
  for (const { start } of groups) parts.push(own(await createAdamW(start, session)));
  return {
    parts,
    get stepCount() {
      return parts[0].stepCount;
    },
    set stepCount(count) {
      for (const part of parts) part.stepCount = count;
    },
    async update(norms, { rate, scale }) {
      for (const [i, { learningRate, weightDecay, maxGradNorm }] of groups.entries())
        await parts[i].update(norms[i], { learningRate: learningRate * rate, weightDecay, maxGradNorm, scale });
    },
  };
}

async function createProdigyRule(
  groups: readonly ParameterGroup[],
  session: SessionOptions,
  own: Own,
  options: ProdigyOptions,
): Promise<Rule> {
  const [{ learningRate }] = groups;
  if (groups.some((group) => group.learningRate !== learningRate))
    throw new Error("Prodigy has one distance for all groups, which therefore have one rate");
  const parts: ProdigyPart[] = [];
  for (const { start } of groups) parts.push(own(await createProdigyPart(start, session)));
  const rule = {
    parts,
    stepCount: 0,
    distance: FIRST_DISTANCE,
    async update(norms: readonly number[], { rate, scale }: { readonly rate: number; readonly scale: number }) {
      rule.stepCount++;
      const updates = groups.map(({ weightDecay, maxGradNorm }, i) => ({
        part: parts[i],
        weightDecay,
        clip: clipOf(norms[i] / scale, maxGradNorm) / scale,
      }));
      rule.distance = await stepProdigy(updates, rule.distance, learningRate * rate, options);
    },
  };
  return rule;
}

/** The norm of several gradients as one. */
function together(norms: readonly number[]): number {
  return norms.length === 1 ? norms[0] : Math.hypot(...norms);
}

function union(maps: readonly ReadonlyMap<string, Float32Tensor>[]): ReadonlyMap<string, Float32Tensor> {
  const all = new Map(maps.flatMap((map) => [...map]));
  if (all.size !== maps.reduce((sum, { size }) => sum + size, 0))
    throw new Error("two groups of parameters have one of the same name");
  return all;
}
