import type { Alignment } from "./reward.ts";

/** What a run knows of its photos before training: the far ends of the calibrated reward's two scales. */
export interface Anchors {
  /** ALIGN-I of the photos with each other: what a perfect likeness would get. */
  readonly photosI: number;
  /** For each picture of a validation, in their order. */
  readonly pictures: readonly PictureAnchors[];
}

export interface PictureAnchors {
  /** ALIGN-T of the photos with the picture's prompt: what a copy of them would get. */
  readonly photosT: number;
  /** Whether the picture should look like the photos; a prompt that recolours the subject asks for the opposite. */
  readonly likeness: boolean;
}

/** How a run's pictures are judged. Runs of earlier versions have no anchors. */
export type RewardScale =
  | { readonly form: "harmonic"; readonly anchors?: Anchors | undefined }
  | { readonly form: "calibrated"; readonly anchors: Anchors };

/** The paper's reward. */
export const HARMONIC: RewardScale = { form: "harmonic" };

/** A validation: where it was, and both alignments of every picture. The pictures of all validations have the same prompts and noises. */
export interface Validation {
  readonly step: number;
  /** Somebody asked for it out of turn: it may be chosen, and early stopping does not count it. */
  readonly extra?: true | undefined;
  readonly images: readonly Alignment[];
}
