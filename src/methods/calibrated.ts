import type { Alignment } from "../reward/reward.ts";
import { mean } from "../reward/statistics.ts";

/** Alignments on scales that a run has anyway, from which the starting model and a copy of a photo both get a harmonic reward of nearly 0. */

/** The ends of both scales. */
export interface Anchors {
  /** I-: mean ALIGN-I of the starting model's pictures. */
  readonly imageStart: number;
  /** I+: mean ALIGN-I of the photos with each other. */
  readonly imagePhotos: number;
  /** T+: mean ALIGN-T of the starting model's pictures, by prompt. */
  readonly textStart: readonly number[];
  /** T-: mean ALIGN-T of the photos, by prompt. */
  readonly textPhotos: readonly number[];
}

/** What a part is at least, so that the harmonic mean of two is never quite 0. */
const LEAST = 0.02;

/**
 * i = (I - I-) / (I+ - I-): 0 as the starting model, 1 as the photos; t = 1 + (T - T+) / D with D = mean(T+ - T-) over the prompts: 1 as the
 * starting model, 0 as the photos. Both clipped to [.02, 1].
 */
export function calibrate({ alignI, alignT }: Alignment, anchors: Anchors, promptIndex: number): Alignment {
  const { imageStart, imagePhotos, textStart, textPhotos } = anchors;
  const range = mean(textStart.map((start, prompt) => start - textPhotos[prompt]));
  return {
    alignI: clip(ratio(alignI - imageStart, imagePhotos - imageStart)),
    alignT: clip(1 + ratio(alignT - textStart[promptIndex], range)),
  };
}

/** Of a scale without length nothing can be read. */
function ratio(x: number, range: number): number {
  return range > 0 ? x / range : 0;
}

function clip(x: number): number {
  return Math.min(1, Math.max(LEAST, x));
}
