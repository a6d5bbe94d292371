import { Random } from "../tensor/random.ts";
import { between, hsl, type Colour } from "./colour.ts";
import { isLive, PATTERNS, type ClassName, type Instance, type Pattern } from "./scene.ts";

/**
 * Which seeds an instance may have. Models are pretrained on `train` alone; the demo's subjects and every figure about
 * identity are of `heldOut`.
 */
export const INSTANCE_SEEDS = {
  train: { first: 0, count: 1_000_000 },
  heldOut: { first: 1_000_000, count: 100_000 },
} as const;

export type Split = keyof typeof INSTANCE_SEEDS;

const COATS: readonly Pattern[] = ["plain", "stripes", "dots", "patches", "halves"];

/** The instance of a class with this seed. */
export function instanceOf(className: ClassName, seed: number): Instance {
  const rng = new Random(seed).split("instance", className);
  const unit = (): number => between(rng, -1, 1);
  return {
    className,
    seed,
    ...(isLive(className) ? furColours(rng) : paintColours(rng)),
    pattern: rng.choice(isLive(className) ? COATS : PATTERNS),
    patternAngle: between(rng, -60, 60),
    patternScale: rng.uniform(),
    patternPhase: rng.uniform(),
    proportions: [unit(), unit(), unit(), unit()],
    variant: rng.integer(3),
    marking: rng.integer(3),
  };
}

/** An instance of a class drawn from a split. */
export function sampleInstance(rng: Random, className: ClassName, split: Split = "train"): Instance {
  const { first, count } = INSTANCE_SEEDS[split];
  return instanceOf(className, first + rng.integer(count));
}

type Colours = Pick<Instance, "primary" | "secondary" | "accent">;

/** Any colours, the second in contrast to the first. */
function paintColours(rng: Random): Colours {
  const hue = between(rng, 0, 360);
  const primary = rng.bernoulli(0.14)
    ? hsl(hue, between(rng, 0, 0.15), rng.choice([0.13, 0.55, 0.92]))
    : hsl(hue, between(rng, 0.4, 0.9), between(rng, 0.34, 0.7));
  const hueApart = hue + between(rng, 70, 290);
  const lightness = primary.l > 0.5 ? between(rng, 0.18, 0.36) : between(rng, 0.68, 0.92);
  const secondary = rng.bernoulli(0.2)
    ? hsl(hueApart, 0.06, lightness)
    : hsl(hueApart, between(rng, 0.45, 0.9), lightness);
  return {
    primary,
    secondary,
    accent: hsl(hue + between(rng, 40, 320), between(rng, 0.55, 0.95), between(rng, 0.42, 0.66)),
  };
}

/** Coats from cream over ginger and brown to grey and black, with a collar of any colour. */
function furColours(rng: Random): Colours {
  const fur = rng.integer(4);
  const primary = {
    0: hsl(between(rng, 22, 42), between(rng, 0.5, 0.85), between(rng, 0.48, 0.74)),
    1: hsl(between(rng, 14, 30), between(rng, 0.35, 0.65), between(rng, 0.24, 0.42)),
    2: hsl(between(rng, 190, 260), between(rng, 0.04, 0.22), between(rng, 0.2, 0.6)),
    3: hsl(between(rng, 30, 50), between(rng, 0.1, 0.5), between(rng, 0.82, 0.94)),
  }[fur];
  const dark = hsl(between(rng, 10, 35), between(rng, 0.15, 0.6), between(rng, 0.12, 0.26));
  const light = hsl(between(rng, 28, 46), between(rng, 0.2, 0.7), between(rng, 0.84, 0.94));
  const base = primary ?? light;
  return { primary: base, secondary: base.l > 0.52 ? dark : light, accent: collar(rng) };
}

function collar(rng: Random): Colour {
  return hsl(between(rng, 0, 360), between(rng, 0.7, 0.95), between(rng, 0.42, 0.6));
}
