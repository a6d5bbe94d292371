import type { Colour, ColourName } from "./colour.ts";

/** The words of this layer: what a scene is made of. All values are plain data that JSON can hold. */

export const CLASS_NAMES = [
  "dog",
  "cat",
  "backpack",
  "teapot",
  "vase",
  "boot",
  "can",
  "clock",
  "candle",
  "toy car",
  "duck toy",
  "robot toy",
] as const;
export type ClassName = (typeof CLASS_NAMES)[number];

/** Places that captions name. */
export const PLACE_NAMES = [
  "jungle",
  "beach",
  "snow",
  "mountain",
  "city",
  "pink fabric",
  "wooden floor",
  "moon",
  "wheat field",
  "pool",
  "water",
  "volcano",
] as const;
export type PlaceName = (typeof PLACE_NAMES)[number];

export const STYLE_NAMES = ["van gogh", "pencil sketch"] as const;
export type StyleName = (typeof STYLE_NAMES)[number];

export const WORN_ITEMS = [
  "hat",
  "santa hat",
  "top hat",
  "wizard outfit",
  "scarf",
  "shirt",
  "glasses",
  "outfit",
] as const;
export type WornItem = (typeof WORN_ITEMS)[number];

/** A thing that a live subject wears. `colour` is null where the word alone fixes it (a santa hat). */
export interface Worn {
  readonly item: WornItem;
  readonly colour: ColourName | "rainbow" | null;
}

export const PATTERNS = ["plain", "stripes", "bands", "dots", "patches", "halves", "checks", "zigzag"] as const;
export type Pattern = (typeof PATTERNS)[number];

/** One particular thing of a class: what a photo of the subject shows and no caption says. */
export interface Instance {
  readonly className: ClassName;
  /** Together with the class, determines everything else. */
  readonly seed: number;
  /** Most of the surface. */
  readonly primary: Colour;
  /** The pattern, and parts such as a pocket or an ear. */
  readonly secondary: Colour;
  /** Small parts: a collar, a knob, laces. */
  readonly accent: Colour;
  readonly pattern: Pattern;
  /** How the pattern lies: direction in degrees, coarseness and phase in [0, 1). */
  readonly patternAngle: number;
  readonly patternScale: number;
  readonly patternPhase: number;
  /** Four numbers in [-1, 1] that every class reads in its own way: longer legs, a rounder belly. */
  readonly proportions: readonly [number, number, number, number];
  /** 0, 1 or 2: which of the class's kinds of ears, handles, flowers ... */
  readonly variant: number;
  /** 0, 1 or 2: which of the class's markings. */
  readonly marking: number;
}

/** How a scene shows its instance. Unless said otherwise, numbers lie in [-1, 1] and 0 is the middle. */
export interface View {
  /** Where between the frame's left and right edge. */
  readonly x: number;
  /** How far up or down on the ground. */
  readonly y: number;
  /** The longer side as a part of the frame's, 0.8 to 0.98. */
  readonly size: number;
  /** Rotation in degrees, clockwise. */
  readonly tilt: number;
  /** Seen from the other side. */
  readonly flip: boolean;
  /** Width against height, about 0.9 to 1.08: a little turn away from the viewer. */
  readonly stretch: number;
  /** Which way the head or the front turns, what the limbs do. */
  readonly turn: number;
  readonly limbs: number;
  /** Brightness of the whole picture, and whether the light comes from the right. */
  readonly light: number;
  readonly lightFromRight: boolean;
}

/** Everything that a picture shows; rendering adds nothing to it. */
export interface Scene {
  readonly instance: Instance;
  readonly view: View;
  /** Undefined: a studio, a room or a lawn, which captions do not mention. */
  readonly place?: PlaceName;
  /** The subject is recoloured: its body has this colour, its pattern another tone of it. */
  readonly colour?: ColourName;
  readonly worn?: Worn;
  readonly style?: StyleName;
  /** Seeds the details of the surroundings and of the named colour. */
  readonly seed: number;
}

/** Live subjects get DreamBench's live prompts and can wear things. */
export function isLive(className: string): boolean {
  return className === "dog" || className === "cat";
}
