import type { Source } from "../source.ts";

/** A training of Custom Diffusion that is merged with others. */
export interface MergedConcept {
  /** Its checkpoint's folder. */
  readonly checkpoint: string;
  /** What stands for the subject in its checkpoint; undefined: what its file says. */
  readonly token: string | undefined;
  /** The same in the merged files. */
  readonly word: string;
  readonly class: string;
}

export interface MergeSettings extends Pick<Source, "model" | "variant" | "vae" | "prediction"> {
  readonly concepts: readonly MergedConcept[];
  /** Texts for which the model is to stay as it was. */
  readonly captions: readonly string[];
  readonly output: string;
  readonly threads: number;
}
