import type { Random } from "../tensor/random.ts";

/** A colour as hue (degrees, any real number), saturation and lightness (0 to 1), as in CSS `hsl()`. */
export interface Colour {
  readonly h: number;
  readonly s: number;
  readonly l: number;
}

type Range = readonly [number, number];

/** The colours that captions name. */
export const COLOUR_NAMES = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
  "black",
  "white",
] as const;
export type ColourName = (typeof COLOUR_NAMES)[number];

/** The ranges of hue, saturation and lightness that a name covers. */
const NAMED: Readonly<Record<ColourName, { readonly h: Range; readonly s: Range; readonly l: Range }>> = {
  red: { h: [-6, 5], s: [0.8, 0.95], l: [0.46, 0.54] },
  orange: { h: [24, 33], s: [0.92, 1], l: [0.53, 0.59] },
  yellow: { h: [49, 56], s: [0.92, 1], l: [0.53, 0.62] },
  green: { h: [105, 145], s: [0.52, 0.8], l: [0.36, 0.46] },
  blue: { h: [210, 230], s: [0.68, 0.92], l: [0.42, 0.55] },
  purple: { h: [268, 286], s: [0.5, 0.78], l: [0.38, 0.5] },
  pink: { h: [326, 346], s: [0.75, 0.98], l: [0.69, 0.78] },
  brown: { h: [18, 30], s: [0.45, 0.62], l: [0.24, 0.33] },
  black: { h: [0, 360], s: [0, 0.1], l: [0.09, 0.15] },
  white: { h: [0, 360], s: [0, 0.25], l: [0.92, 0.97] },
};

export function hsl(h: number, s: number, l: number): Colour {
  return { h, s, l };
}

export const BLACK = hsl(0, 0, 0.08);
export const WHITE = hsl(0, 0, 1);

/** A number in [low, high). */
export function between(rng: Random, low: number, high: number): number {
  return low + (high - low) * rng.uniform();
}

/** A colour that a person would call `name`. */
export function namedColour(name: ColourName, rng: Random): Colour {
  const { h, s, l } = NAMED[name];
  return { h: between(rng, ...h), s: between(rng, ...s), l: between(rng, ...l) };
}

/** The middle of what `name` covers. */
export function typicalColour(name: ColourName): Colour {
  const middle = ([low, high]: Range): number => (low + high) / 2;
  const { h, s, l } = NAMED[name];
  return { h: middle(h), s: middle(s), l: middle(l) };
}

/** The colour with its lightness multiplied by `factor`, at most 0.97. */
export function shade(colour: Colour, factor: number): Colour {
  return { ...colour, l: Math.min(0.97, colour.l * factor) };
}

/** The colour moved by `amount` (0 to 1) of the way to white. */
export function tint(colour: Colour, amount: number): Colour {
  return { ...colour, l: colour.l + (1 - colour.l) * amount };
}

/** A dark rim for a surface of this colour; light for a surface that is itself almost black. */
export function outlineOf(colour: Colour): Colour {
  return colour.l < 0.2 ? { ...colour, l: colour.l + 0.2 } : shade(colour, 0.48);
}

/** Another tone of the same colour, far enough to be seen: for patterns on a subject whose colour a caption names. */
export function toneOf(colour: Colour): Colour {
  if (colour.l < 0.2) return { ...colour, l: colour.l + 0.15 };
  // darker yellow would be olive, darker orange brown
  if (colour.h > 15 && colour.h < 65 && colour.l > 0.45) return tint(colour, 0.22);
  return colour.l > 0.6 ? shade(colour, 0.86) : shade(colour, 0.78);
}

/** The colour as three integers 0 to 255: CSS Color Module 4, section 7.1. */
export function toRgb({ h, s, l }: Colour): [red: number, green: number, blue: number] {
  const channel = (n: number): number => {
    const k = (((n + h / 30) % 12) + 12) % 12;
    return Math.round(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** The colour as `#rrggbb`. */
export function css(colour: Colour): string {
  return `#${toRgb(colour)
    .map((value) => value.toString(16).padStart(2, "0"))
    .join("")}`;
}
