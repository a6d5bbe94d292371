import type { SettingsTable, Values } from "./setting.ts";

/**
 * A training method as the rest of the program sees it before any work and after it: its settings and how its runs are shown. Light, for every
 * command's help reads it. What it does is in its folder's method.ts.
 */
export interface MethodEntry {
  /** In a few words. */
  readonly about: string;
  /** Those that not every method has. One that several methods have is the same in all of them. */
  readonly settings: SettingsTable;
  readonly report: MethodReport;
  /** Settings that somebody has published for it, by a name for each. */
  readonly presets?: Readonly<Record<string, Preset>>;
  /** Of one that trains something else than `--adapter` says. */
  readonly trains?: {
    /** In a few words: "the vectors of a word". */
    readonly what: string;
    readonly learningRate: number;
  };
  /** Whether text encoders are part of what trains: they read texts in every step. */
  readonly readsTexts?: boolean;
  /** Whether a CLIP reads the photos, whose folder a setting says. */
  readonly readsPhotos?: boolean;
  /** Whether the identifier stands for the subject by itself, without the class word. */
  readonly isTokenAlone?: boolean;
}

/** Settings that were published together. */
export interface Preset {
  /** Where, for help: "diffusers' README". */
  readonly source: string;
  /** By their keys. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** How reports and logs show what is a method's own. */
export interface MethodReport {
  /** What a run did, in words: "Reward preference optimization". */
  readonly title: (settings: Values) => string;
  /** The charts of its curves, in their order; those of curves that a run does not have are left out. */
  readonly charts: (settings: Values) => readonly CurveChart[];
  /** What the starting model's pictures are to it. */
  readonly startingPictures?: (settings: Values) => { readonly title: string; readonly text: string };
  /** What the pictures are to it that the model draws while it trains. */
  readonly rounds?: (settings: Values) => { readonly title: string; readonly text: string };
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

/** The chart that every method has. */
export const PHOTO_LOSS: CurveChart = {
  curve: "sim",
  label: "L_sim",
  description: "Denoising loss on the photos",
  caption: "Denoising loss on the photos.",
};
