import type { RoundEvent, RoundImage } from "../runs/events.ts";
import type { EncodedPicture } from "./photos.ts";

/** What methods know of the pictures that the model draws for its own training while it trains. */

/** What a step has of the rounds. */
export interface DrawnRounds {
  /** The pictures of the first round, with their alignments; none before it. */
  readonly first: readonly RoundImage[];
  /** The last round. */
  readonly last: LastRound | undefined;
}

export interface LastRound extends Pick<RoundEvent, "step" | "images"> {
  /** A picture of it, by its path. */
  encoded(path: string): EncodedPicture;
  /** What the weights that drew it give of a curve of step `step`, see `Method.remembered`. 0 while that is computed. */
  before(curve: string, step: number): number;
}
