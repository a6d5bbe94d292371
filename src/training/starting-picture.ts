import type { Alignment } from "../reward/reward.ts";
import type { EncodedPicture } from "./photos.ts";
import type { WantedPicture } from "./wanted-picture.ts";

/** A picture that a method wants the starting model to draw before the first step, once for the whole run. */
export interface StartingPicture extends WantedPicture {
  /** Its file in the run's folder, which it is known by. */
  readonly path: string;
  /** Whether the method wants to know how well it shows its prompt. */
  readonly isScored: boolean;
  /** A folder whose pictures are taken in the place of drawing it, in their order. */
  readonly folder?: string | undefined;
}

/** What a drawn picture gives to the steps that use it. */
export interface EncodedStartingPicture {
  readonly picture: EncodedPicture;
  /** Which of the method's prompts it is of. */
  readonly promptIndex: number;
  /** Its alignments, where the method asked for them. */
  readonly alignments: Alignment | undefined;
}

/** By their paths. */
export type EncodedStartingPictures = ReadonlyMap<string, EncodedStartingPicture>;
