import type { Float32Tensor } from "../tensor/tensor.ts";
import type { LossScale } from "./loss-scale.ts";

/** What an optimizer keeps beside the weights, whichever it is. */

/** What is known of the distance after some steps. */
export interface Distance {
  readonly d: number;
  /** The largest estimate so far, from which d is taken. */
  readonly largest: number;
  /** Numerator of the estimate. */
  readonly numerator: number;
  /** Updates so far: steps at a rate of 0 are none. */
  readonly updates: number;
}

/** Trained weights and what is kept of every one of them. */
interface KeptTensors {
  readonly parameters: ReadonlyMap<string, Float32Tensor>;
  /** The state to save: first and second moments, and Prodigy's weighted sums of gradients. */
  readonly moments: {
    readonly first: ReadonlyMap<string, Float32Tensor>;
    readonly second: ReadonlyMap<string, Float32Tensor>;
    readonly weighted?: ReadonlyMap<string, Float32Tensor>;
  };
  /** Brings parameters and moments to the host's arrays, from which they can be saved. Nothing to do on a CPU. */
  fetch(): Promise<void>;
  /** Sends what was put into the host's arrays to where the steps are made. Nothing to do on a CPU. */
  send(): Promise<void>;
}

/** What is saved of an optimizer. */
export interface OptimizerState extends KeptTensors {
  /** Steps taken so far, without those that were passed over; set when resuming. */
  stepCount: number;
  /** Of the gradients that the next step takes; absent where they are those of the loss itself. Set when resuming. */
  lossScale?: LossScale | undefined;
  /** Prodigy's. Set when resuming. */
  distance?: Distance | undefined;
}

/** Trained weights with their gradients and what is kept beside them, each kind in an arena of one layout. */
export interface OptimizerPart extends KeptTensors {
  /** Where a step's gradients are to be written before the step. */
  readonly gradients: ReadonlyMap<string, Float32Tensor>;
  /** The gradients' global norm; infinite or no number where one of them is. */
  gradNorm(): Promise<number>;
  release(): Promise<void>;
}
