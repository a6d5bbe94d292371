import type { TrainSettings } from "../settings/train-settings.ts";

/** How a report shows what is a method's own. */
export interface MethodReport {
  /** What the run did, in words: "Reward preference optimization". */
  readonly title: (settings: TrainSettings) => string;
  /** The charts of its curves, in their order. */
  readonly charts: (settings: TrainSettings) => readonly CurveChart[];
  /** What the starting model's pictures are to it. */
  readonly startingPictures?: (settings: TrainSettings) => { readonly title: string; readonly text: string };
  /** Where TensorBoard shows a curve. Default: "loss/NAME". */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface CurveChart {
  /** The curve's name in a step's event. */
  readonly curve: string;
  /** At its axis: "L_sim". */
  readonly label: string;
  /** For those who cannot see it: "Denoising loss on the photos". */
  readonly description: string;
  /** What stands under it. */
  readonly caption: string;
  /** A level to compare with. */
  readonly against?: { readonly value: number; readonly text: string };
}
