import type { CostEstimate } from "../../runs/events.ts";
import type { PhotoList } from "../api.ts";

/** What the server has a process of its own do: reading what may be hostile, and what takes long. */
export type Errand =
  | { readonly kind: "thumbnail"; readonly file: string; readonly side: number }
  | { readonly kind: "report"; readonly run: string }
  | { readonly kind: "photos"; readonly folder: string; readonly resolution: number }
  | { readonly kind: "square"; readonly file: string; readonly crop: "center" | "none" }
  | { readonly kind: "estimate"; readonly settings: Readonly<Record<string, unknown>> };

export interface Results {
  readonly thumbnail: Buffer;
  readonly report: string;
  readonly photos: Omit<PhotoList, "folder">;
  readonly square: Buffer;
  readonly estimate: CostEstimate;
}

export type ResultOf<E extends Errand> = Results[E["kind"]];

export interface Asked {
  readonly id: number;
  readonly errand: Errand;
}

export type Answer =
  { readonly id: number; readonly result: Results[keyof Results] } | { readonly id: number; readonly error: string };
