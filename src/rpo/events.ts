/** What a run reports. These objects are the lines of events.jsonl: "type" first, "step" second, paths relative to the run's folder. */
export type RunEvent =
  | { readonly type: "start"; readonly time: string; readonly version: string }
  | {
      readonly type: "negative";
      readonly prompt: string;
      readonly seed: number;
      readonly alignT: number;
      readonly image: string;
    }
  | StepEvent
  | ValidationEvent
  | { readonly type: "best"; readonly step: number; readonly reward: number }
  | { readonly type: "stop"; readonly step: number; readonly reason: StopReason }
  | { readonly type: "error"; readonly step: number; readonly message: string };

export interface StepEvent {
  readonly type: "step";
  readonly step: number;
  readonly sim: number;
  readonly pref: number;
  readonly margin: number;
  /** y of the pair: 1 prefers the photo. */
  readonly label: number;
  /** Global norm before clipping. */
  readonly gradNorm: number;
  readonly seconds: number;
}

export interface ValidationEvent {
  readonly type: "validation";
  readonly step: number;
  readonly lambda: number;
  /** Mean lambda-harmonic reward of the pictures, and the standard error of that mean. */
  readonly reward: number;
  readonly standardError: number;
  readonly images: readonly ScoredImage[];
}

export interface ScoredImage {
  readonly prompt: string;
  readonly seed: number;
  readonly alignI: number;
  readonly alignT: number;
  /** Path of the picture in the run's folder. */
  readonly image: string;
}

export type StopReason = "patience" | "steps" | "interrupted";

/** What only a listener at hand wants to know; never written to events.jsonl. */
export type ProgressEvent =
  | { readonly type: "progress"; readonly phase: Phase; readonly done: number; readonly total: number }
  | { readonly type: "warning"; readonly text: string }
  | ({ readonly type: "estimate" } & CostEstimate);

/** The stretches of a run that take time. "negatives" and "validation" count pictures' denoising steps, "training" steps. */
export type Phase = "loading" | "encoding" | "measuring" | "negatives" | "training" | "validation" | "saving";

export interface CostEstimate {
  /** Seconds for the whole run if it does not stop early. */
  readonly seconds: number;
  readonly secondsPerStep: number;
  /** Peak resident memory so far, after one step and one picture's step have been measured. */
  readonly peakBytes: number;
  readonly pictures: number;
  readonly steps: number;
}

/** How a run talks to whoever started it. */
export interface RunControl {
  emit(event: RunEvent | ProgressEvent): void;
  /** Whether to finish the step at hand, save and stop. */
  shouldStop(): boolean;
  /** Asked once, before long work and before anything is written. */
  confirm(estimate: CostEstimate): Promise<boolean>;
}
