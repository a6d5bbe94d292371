import type { WorkControl, WorkEvent } from "../system/work.ts";

/** What a run reports. These objects are the lines of events.jsonl: "type" first, "step" second, paths relative to the run's folder. */
export type RunEvent =
  | {
      /** The first event of a run. */
      readonly type: "start";
      /** ISO 8601, in UTC. */
      readonly time: string;
      /** Of this program. */
      readonly version: string;
      /** The photos as they are trained; runs begun by earlier versions do not say so. */
      readonly photos?:
        | readonly (WrittenPicture & {
            /** Of several subjects, which it is of, from 0. */
            readonly subject?: number | undefined;
            /** Where photos have buckets, its own. */
            readonly bucket?:
              | {
                  /** In pixels. */
                  readonly width: number;
                  /** In pixels. */
                  readonly height: number;
                  /** How much of the photo's area was cut off, in [0, 1). */
                  readonly cut: number;
                }
              | undefined;
          })[]
        | undefined;
      /**
       * Of a run that judges: likeness of the two photos that are most like each other, in [0, 1]; a picture nearer than that to a photo is a copy
       * of it. Absent of a single photo.
       */
      readonly closestI?: number | undefined;
    }
  | AnchorsEvent
  | StartingPictureEvent
  | RoundEvent
  | StepEvent
  | ValidationEvent
  | {
      /** The validation just before is the best so far. */
      readonly type: "best";
      /** Its step. */
      readonly step: number;
      /** Its reward. */
      readonly reward: number;
    }
  | {
      /** The run has ended, or was interrupted. */
      readonly type: "stop";
      /** The last step. */
      readonly step: number;
      /** Why. */
      readonly reason: StopReason;
    }
  | {
      /** The run has failed. */
      readonly type: "error";
      /** The last step. */
      readonly step: number;
      /** What failed. */
      readonly message: string;
    };

/** A picture that a run has written. */
export interface WrittenPicture {
  /** Path of the picture in the run's folder. */
  readonly image: string;
  /** SHA-256 of that file. */
  readonly sha256: string;
}

/** A picture that a prompt and a noise make. */
export interface PromptedPicture {
  /** Which of the run's subjects it is of, from 0; of one subject runs do not say it. */
  readonly subject?: number | undefined;
  /** What it should show, without the identifier. */
  readonly prompt: string;
  /** What the model read, with the identifier; runs of version 1 do not say it. */
  readonly text?: string | undefined;
  /** Which of the prompts that is, from 0. */
  readonly promptIndex: number;
  /** Which of that prompt's pictures it is, from 0. */
  readonly index: number;
  /** Of its noise. */
  readonly seed: number;
  /** Path of the picture in the run's folder. */
  readonly image: string;
  /** SHA-256 of that file; runs of the first versions do not say it. */
  readonly sha256?: string | undefined;
}

/** What the reward says of the photos themselves: one end of the scales by which a run's progress is measured. Runs of earlier versions have none. */
export interface AnchorsEvent {
  /** Which event it is. */
  readonly type: "anchors";
  /** Likeness of the photos to each other, in [0, 1]; of a single photo 1. */
  readonly photosI: number;
  /** For each validation prompt. */
  readonly prompts: readonly PromptAnchors[];
}

/** What the reward says of the photos for one prompt. */
export interface PromptAnchors {
  /** How well the photos show the prompt, in [0, 1]. */
  readonly photosT: number;
  /** Whether a picture of the prompt should look like the photos: "a red dog" should not. */
  readonly likeness: boolean;
}

/** The starting model has drawn a picture that the method trains with. */
export interface StartingPictureEvent extends PromptedPicture {
  /** Which event it is. */
  readonly type: "starting-picture";
  /** As what the method uses it: `negative` in RPO. */
  readonly use: string;
  /** How well it shows the prompt, in [0, 1]; absent where the method does not ask. */
  readonly alignT?: number | undefined;
}

/** The model has drawn pictures for its own training, with the weights of a step. */
export interface RoundEvent {
  /** Which event it is. */
  readonly type: "round";
  /** 0 is the starting model. The steps after it use the pictures, until the next round. */
  readonly step: number;
  /** The pictures. */
  readonly images: readonly RoundImage[];
  /** Where steps are compared with the weights of this one: what these gave of each such curve, for each step until the next round. */
  readonly before?: Readonly<Record<string, readonly number[]>> | undefined;
}

/** A picture of a round. */
export interface RoundImage extends ScoredImage {
  /** As what the method uses it. */
  readonly use: string;
}

/** A training step has been taken. */
export interface StepEvent {
  /** Which event it is. */
  readonly type: "step";
  /** From 1. */
  readonly step: number;
  /**
   * What the method computed, by name. `loss` is what was minimized. RPO has `sim`, the error on the photo; `pref`, the loss of the
   * preference; `margin`, by how much the model prefers the photo to the starting model's picture; and `label`, 1 where the photo is preferred.
   */
  readonly curves: Readonly<Record<string, number>>;
  /** Index of the photo, of the first where there are several; runs of version 1 do not say it. */
  readonly photo?: number | undefined;
  /** Of all photos, where a step has several. */
  readonly photos?: readonly number[] | undefined;
  /** The starting model's picture that the step used, by its path in the run's folder, if it used one; runs of version 1 do not say it. */
  readonly startingPicture?: string | undefined;
  /** All such pictures, where a step has several photos. */
  readonly startingPictures?: readonly string[] | undefined;
  /** Pictures of the last round that the step used, by their paths in the run's folder, if it used any. */
  readonly roundPictures?: readonly string[] | undefined;
  /** Global norm before clipping; absent where a gradient overflowed in half precision, so that the step was passed over. */
  readonly gradNorm?: number | undefined;
  /** By what the loss was multiplied, with gradients in half precision. */
  readonly lossScale?: number | undefined;
  /** That it took. */
  readonly seconds: number;
}

/** The validation prompts have been drawn with the weights of a step, and scored. */
export interface ValidationEvent {
  /** Which event it is. */
  readonly type: "validation";
  /** 0 is the starting model. */
  readonly step: number;
  /** Somebody asked for it out of turn: it may be chosen, and early stopping does not count it. */
  readonly extra?: true | undefined;
  /** How much likeness counts against the prompt, 0 to 1. */
  readonly lambda: number;
  /** The reward of the pictures, by the run's form of it. */
  readonly reward: number;
  /** Of that reward. */
  readonly standardError: number;
  /** Which form that is; absent: `harmonic`, the mean of the pictures' own. */
  readonly form?: "harmonic" | "calibrated" | undefined;
  /** The reward by the other form, where the run has measured what both need. */
  readonly otherReward?: number | undefined;
  /** How far the way to the photos' likeness is: 0 for the starting model, 1 for the photos. */
  readonly likeness?: number | undefined;
  /** How much is left of the obedience to the prompt: 1 for the starting model, 0 for a copy of the photos. */
  readonly obedience?: number | undefined;
  /** The pictures. */
  readonly images: readonly ScoredImage[];
}

/** A picture of a validation. */
export interface ScoredImage extends PromptedPicture {
  /** Likeness to the photos, in [0, 1]. */
  readonly alignI: number;
  /** How well it shows the prompt, in [0, 1]. */
  readonly alignT: number;
  /** Likeness to the photo that it is most like, in [0, 1]; of a run that judges. */
  readonly nearestI?: number | undefined;
}

/** Why a run stopped: the reward no longer rose, the loss that its rule watches no longer moved, all steps were taken, or it was asked to. */
export type StopReason = "patience" | "loss" | "steps" | "interrupted";

/** What only a listener at hand wants to know; never written to events.jsonl. */
export type ProgressEvent = WorkEvent<Phase> | ({ readonly type: "estimate" } & CostEstimate);

/** The stretches of a run that take time. "drawing" (of pictures to train with) and "validation" count pictures' denoising steps, "training" steps, "checking" bytes. */
export type Phase =
  "waiting" | "checking" | "loading" | "encoding" | "measuring" | "drawing" | "training" | "validation" | "saving";

/** What a run will cost. */
export interface CostEstimate {
  /** Seconds for the whole run if it does not stop early. */
  readonly seconds: number;
  /** Seconds of one training step. */
  readonly secondsPerStep: number;
  /** Peak resident memory so far, after one step and one picture's step have been measured. */
  readonly peakBytes: number;
  /** Pictures to draw, those to train with and validations together. */
  readonly pictures: number;
  /** Training steps to take. */
  readonly steps: number;
}

/** Validations out of turn, as they are asked for while a run trains. */
export interface ExtraValidations {
  isAsked(): boolean;
  /** The pictures of a validation are drawn: it is what was asked for until now. */
  answered(): void;
}

/** How a run talks to whoever started it. Its signal asks to give up the step at hand, save and stop. */
export interface RunControl extends WorkControl<RunEvent | ProgressEvent> {
  /** Validations that somebody asks for out of turn. */
  readonly extra?: ExtraValidations | undefined;
  /** Asked once, before long work and before anything is written. */
  confirm(estimate: CostEstimate): Promise<boolean>;
}
