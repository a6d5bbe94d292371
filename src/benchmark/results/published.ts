import type { Measure } from "./measures.ts";

/** A figure as a paper prints it. */
export interface PublishedFigure {
  readonly mean: number;
  readonly deviation?: number;
}

export interface PublishedLine {
  readonly label: string;
  readonly steps?: number;
  /** Whose figures they are, where the paper's table copies them. */
  readonly origin?: keyof typeof PUBLISHED_ORIGINS;
  readonly figures: Readonly<Partial<Record<Measure, PublishedFigure>>>;
}

/** Where the published lines are from, and what they were measured on. */
export const PUBLISHED_SOURCE =
  "published by Miao et al., arXiv 2407.12164: DreamBench's 30 subjects, 4 pictures for each of 25 prompts, DINO ViT-S/16, CLIP ViT-B/16";

/** Where figures stand that the paper's table copies, by their marks (docs/benchmark.md has more of it). */
export const PUBLISHED_ORIGINS = {
  a: "as in table 1 of DreamBooth's paper (arXiv 2208.12242), DreamBench",
  b: "as other papers' tables have it of SuTI's report, DreamBench",
  c: "as in HybridBooth's table, with ELITE's, of another protocol, on Stable Diffusion 1.4",
  d: "found nowhere else; the protocol is not known",
} as const;

const of = (dino: number, clipI: number, clipT?: number): PublishedLine["figures"] => ({
  dino: { mean: dino },
  clipI: { mean: clipI },
  ...(clipT !== undefined && { clipT: { mean: clipT } }),
});

type Pair = readonly [mean: number, deviation: number];
const spread = (dino: Pair, clipI: Pair, clipT: Pair): PublishedLine["figures"] => ({
  dino: { mean: dino[0], deviation: dino[1] },
  clipI: { mean: clipI[0], deviation: clipI[1] },
  clipT: { mean: clipT[0], deviation: clipT[1] },
});

/** The paper's table of methods and its ablation, word for word in figures. */
export const PUBLISHED: readonly PublishedLine[] = [
  { label: "reference photos", origin: "a", figures: of(0.774, 0.885) },
  { label: "DreamBooth, SD", origin: "a", steps: 1000, figures: of(0.668, 0.803, 0.305) },
  { label: "Textual Inversion, SD", origin: "a", steps: 5000, figures: of(0.569, 0.78, 0.255) },
  { label: "DisenBooth, SD", origin: "d", steps: 3000, figures: of(0.574, 0.755, 0.255) },
  { label: "Custom Diffusion, SD", origin: "c", steps: 500, figures: of(0.695, 0.801, 0.245) },
  { label: "ELITE, SD", origin: "c", steps: 3000, figures: of(0.652, 0.765, 0.255) },
  { label: "IP-Adapter, SD", origin: "d", steps: 1e6, figures: of(0.608, 0.809, 0.274) },
  { label: "SSR-Encoder, SD", origin: "d", steps: 1e6, figures: of(0.612, 0.821, 0.314) },
  { label: "DreamBooth, Imagen", origin: "a", steps: 1000, figures: of(0.696, 0.812, 0.306) },
  { label: "SuTI, Imagen", origin: "b", steps: 1.5e5, figures: of(0.741, 0.819, 0.304) },
  { label: "Re-Imagen, Imagen", origin: "b", steps: 2e5, figures: of(0.6, 0.74, 0.27) },
  { label: "RPO, SD, λ 0.5", steps: 400, figures: of(0.652, 0.833, 0.314) },
  { label: "pure L_sim", steps: 400, figures: spread([0.695, 0.077], [0.852, 0.043], [0.285, 0.027]) },
  { label: "L_pref, no early stopping", steps: 400, figures: spread([0.688, 0.082], [0.845, 0.042], [0.296, 0.027]) },
  { label: "early stopping, no L_pref", figures: spread([0.575, 0.124], [0.799, 0.052], [0.323, 0.025]) },
  { label: "RPO, λ 0.3", figures: spread([0.581, 0.113], [0.798, 0.039], [0.329, 0.021]) },
  { label: "RPO, λ 0.7", figures: spread([0.679, 0.085], [0.85, 0.045], [0.304, 0.023]) },
];
