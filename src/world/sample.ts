import type { Random } from "../tensor/random.ts";
import { captionOf } from "./caption.ts";
import { between, COLOUR_NAMES, type ColourName } from "./colour.ts";
import { sampleInstance, type Split } from "./instance.ts";
import {
  CLASS_NAMES,
  isLive,
  PLACE_NAMES,
  STYLE_NAMES,
  WORN_ITEMS,
  type ClassName,
  type Instance,
  type PlaceName,
  type Scene,
  type StyleName,
  type View,
  type Worn,
} from "./scene.ts";

/** What a sampled scene must show. A property left out is drawn at random; null means none. */
export interface Wanted {
  readonly instance?: Instance;
  /** Ignored where an instance is given. */
  readonly className?: ClassName;
  readonly split?: Split;
  readonly place?: PlaceName | null;
  readonly colour?: ColourName | null;
  /** Only live subjects wear things. */
  readonly worn?: Worn | null;
  readonly style?: StyleName | null;
}

/** How often a caption names each kind of thing. */
const SHARES = { place: 0.65, colour: 0.4, worn: 0.4, style: 0.1 };

/** A scene and a caption that tells the truth about it. */
export function sampleScene(rng: Random, wanted: Wanted = {}): { scene: Scene; caption: string } {
  const instance =
    wanted.instance ?? sampleInstance(rng, wanted.className ?? rng.choice(CLASS_NAMES), wanted.split ?? "train");
  const view = sampleView(rng);
  const style = wanted.style === undefined ? maybe(rng, SHARES.style, () => rng.choice(STYLE_NAMES)) : wanted.style;
  // a grey drawing on paper shows neither colours nor, at this size, surroundings
  const drawn = style === "pencil sketch";
  const place = pick(wanted.place, () => maybe(rng, drawn ? 0 : SHARES.place, () => rng.choice(PLACE_NAMES)));
  const colour = pick(wanted.colour, () => maybe(rng, drawn ? 0 : SHARES.colour, () => rng.choice(COLOUR_NAMES)));
  const dressed = isLive(instance.className) && !drawn ? SHARES.worn : 0;
  const worn = pick(wanted.worn, () => maybe(rng, dressed, () => sampleWorn(rng)));
  const scene: Scene = {
    instance,
    view,
    ...(place && { place }),
    ...(colour && { colour }),
    ...(worn && isLive(instance.className) && { worn }),
    ...(style && { style }),
    seed: rng.integer(2 ** 32),
  };
  return { scene, caption: captionOf(scene, rng) };
}

/** A pose, a size and a place in the frame. */
export function sampleView(rng: Random): View {
  const unit = (): number => between(rng, -1, 1);
  return {
    x: unit(),
    y: unit(),
    size: between(rng, 0.8, 0.98),
    tilt: 7 * unit(),
    flip: rng.bernoulli(0.5),
    stretch: between(rng, 0.9, 1.06),
    turn: unit(),
    limbs: unit(),
    light: unit(),
    lightFromRight: rng.bernoulli(0.5),
  };
}

/** Something to wear, in a colour that goes with it. */
export function sampleWorn(rng: Random): Worn {
  const item = rng.choice(WORN_ITEMS);
  if (item === "santa hat" || item === "top hat") return { item, colour: null };
  if (item === "scarf" && rng.bernoulli(0.4)) return { item, colour: "rainbow" };
  if (item === "wizard outfit") return { item, colour: rng.choice(["purple", "purple", "blue", "black"] as const) };
  return { item, colour: rng.choice(COLOUR_NAMES) };
}

function maybe<T>(rng: Random, probability: number, draw: () => T): T | null {
  return rng.bernoulli(probability) ? draw() : null;
}

function pick<T>(wanted: T | null | undefined, draw: () => T | null): T | null {
  return wanted === undefined ? draw() : wanted;
}
