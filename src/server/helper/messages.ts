import type { CostEstimate } from "../../runs/events.ts";
import type { PhotoList } from "../api.ts";

/** What the server has a process of its own do: reading what may be hostile, and what takes long. */
export type Errand =
  | { readonly kind: "thumbnail"; readonly file: string; readonly side: number }
  | { readonly kind: "report"; readonly run: string }
  | { readonly kind: "bench-report"; readonly bench: string }
  | ({ readonly kind: "photos"; readonly folder: string } & HowCut)
  | ({ readonly kind: "cut"; readonly file: string } & HowCut)
  | ({ readonly kind: "draw"; readonly run: string } & DrawWish)
  | { readonly kind: "kohya"; readonly run: string; readonly output: string }
  | { readonly kind: "estimate"; readonly settings: Readonly<Record<string, unknown>> };

/** How a training would cut its photos. */
export interface HowCut {
  readonly crop: "center" | "none" | "bucket";
  readonly resolution: number;
  /** As the form names it; "" where it says nothing. */
  readonly model: string;
}

/** What to draw, with the starting model and with the chosen checkpoint. */
export interface DrawWish {
  readonly prompt: string;
  readonly seed: number;
  readonly count: number;
}

/** Two pictures of one noise, as PNG. */
export interface DrawnPair {
  readonly seed: number;
  readonly start: Uint8Array;
  readonly chosen: Uint8Array;
}

export interface Results {
  readonly thumbnail: Buffer;
  readonly report: string;
  readonly "bench-report": string;
  readonly photos: Omit<PhotoList, "folder">;
  readonly cut: Buffer;
  readonly draw: readonly DrawnPair[];
  readonly kohya: string;
  readonly estimate: CostEstimate;
}

export type ResultOf<E extends Errand> = Results[E["kind"]];

export interface Asked {
  readonly id: number;
  readonly errand: Errand;
}

export type Answer =
  { readonly id: number; readonly result: Results[keyof Results] } | { readonly id: number; readonly error: string };
