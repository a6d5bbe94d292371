import { dealer } from "../../training/draws.ts";

/** A prompt and one of its negatives: with which picture a step compares the photo, before any picture exists. */
export interface Pair {
  /** Index of the training prompt. */
  readonly prompt: number;
  /** Which of the prompt's negatives. */
  readonly negative: number;
}

export interface PairOptions {
  readonly seed: number;
  /** Training prompts. */
  readonly prompts: number;
  /** Negatives for each prompt. */
  readonly negatives: number;
}

/** The pair of step `step` (from 1). Pairs come round in shuffled order, each used once before any is used again. */
export function pairOf(step: number, options: PairOptions): Pair {
  return pairDealer(options)(step);
}

/** {@link pairOf} for many steps. */
export function pairDealer({ seed, prompts, negatives }: PairOptions): (step: number) => Pair {
  const deal = dealer(seed, "negatives", prompts * negatives);
  return (step) => {
    const dealt = deal(step - 1);
    return { prompt: dealt % prompts, negative: Math.floor(dealt / prompts) };
  };
}

/** The pairs that some step will use, in the order of first use: no other negatives need to be drawn. */
export function pairsNeeded(steps: number, options: PairOptions): Pair[] {
  const deal = pairDealer(options);
  return Array.from({ length: Math.min(steps, options.prompts * options.negatives) }, (_, i) => deal(i + 1));
}
