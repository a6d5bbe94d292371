import type { Random } from "../tensor/random.ts";
import type { ColourName } from "./colour.ts";
import { isLive, type PlaceName, type Scene, type StyleName, type Worn, type WornItem } from "./scene.ts";

/** What a caption or a prompt says beside the class. */
export interface Wording {
  readonly place?: PlaceName;
  readonly colour?: ColourName;
  readonly worn?: Worn;
  readonly style?: StyleName;
}

/** The first is DreamBench's or RPO's own wording. */
const PLACES: Readonly<Record<PlaceName, readonly [string, ...string[]]>> = {
  jungle: ["in the jungle", "in a jungle"],
  beach: ["on the beach", "at the beach"],
  snow: ["in the snow"],
  mountain: ["with a mountain in the background", "in front of a mountain"],
  city: ["with a city in the background", "in front of a city"],
  "pink fabric": ["on top of pink fabric", "on pink fabric"],
  "wooden floor": ["on top of a wooden floor", "on a wooden floor"],
  moon: ["on the Moon", "on the moon"],
  "wheat field": ["with a wheat field in the background", "in a wheat field"],
  pool: ["floating in a pool", "in a pool"],
  water: ["floating on top of water", "floating on water"],
  volcano: ["with a volcano in the background", "in front of a volcano"],
};

const SWIMMING = ["swimming in a pool", "in a pool"] as const;

const STYLES: Readonly<Record<StyleName, readonly [string, ...string[]]>> = {
  "van gogh": ["in Vincent Van Gogh rendition", "in Vincent van Gogh's style", "in the style of Vincent van Gogh"],
  "pencil sketch": ["as a pencil sketch"],
};

/** "a painting of a dog by Vincent van Gogh" */
const WORKS: Readonly<Record<StyleName, readonly [before: string, after: string]>> = {
  "van gogh": ["a painting of", " by Vincent van Gogh"],
  "pencil sketch": ["a pencil sketch of", ""],
};

/** "" three times: half of the captions begin with the thing itself. */
const OPENINGS = ["", "", "", "a photo of ", "a photo of ", "a picture of ", "an image of "] as const;

const WORN: Readonly<Record<WornItem, (colour: string) => string>> = {
  hat: (colour) => `wearing ${withArticle(`${colour} hat`)}`,
  "santa hat": () => "wearing a santa hat",
  "top hat": () => "wearing a black top hat",
  "wizard outfit": (colour) => `in ${withArticle(`${colour} wizard outfit`)}`,
  scarf: (colour) => `wearing ${withArticle(`${colour} scarf`)}`,
  shirt: (colour) => `wearing ${withArticle(`${colour} shirt`)}`,
  glasses: (colour) => `wearing ${colour} glasses`,
  outfit: (colour) => `wearing ${withArticle(`${colour} outfit`)}`,
};

/** A caption that names all the scene's attributes, in words that `rng` chooses. */
export function captionOf(scene: Scene, rng: Random): string {
  const { className } = scene.instance;
  const subject = subjectOf(scene, className);
  const places = scene.place === "pool" && isLive(className) ? SWIMMING : scene.place && PLACES[scene.place];
  const place = places && wordingOf(rng, places);

  if (scene.style && rng.bernoulli(0.3)) {
    const [before, after] = WORKS[scene.style];
    return `${joined(before, subject, place)}${after}`;
  }
  const style = scene.style && wordingOf(rng, STYLES[scene.style]);
  const opening = style ? "" : rng.choice(OPENINGS);
  const swims = opening === "" && place === SWIMMING[0] && rng.bernoulli(0.6);
  return opening + joined(subject, swims ? `is ${SWIMMING[0]}` : place, style);
}

/** The wording of DreamBench and RPO: promptOf({ colour: "red" }, "{token} {class}", false) is "a red {token} {class}". */
export function promptOf(wording: Wording, noun: string, live: boolean): string {
  const swims = wording.place === "pool" && live;
  return promptWith(wording, noun, swims ? `is ${SWIMMING[0]}` : wording.place && PLACES[wording.place][0]);
}

/** The same in the last of the words that there are for its place: "in front of a city" for "with a city in the background". */
export function otherPromptOf(wording: Wording, noun: string): string {
  return promptWith(wording, noun, wording.place && PLACES[wording.place].at(-1));
}

function promptWith(wording: Wording, noun: string, place: string | undefined): string {
  return joined(subjectOf(wording, noun), place, wording.style && STYLES[wording.style][0]);
}

/** "a red dog wearing a blue hat" */
function subjectOf({ colour, worn }: Wording, noun: string): string {
  return joined(withArticle(joined(colour, noun)), worn && WORN[worn.item](worn.colour ?? ""));
}

/** The first wording in two of three captions, so that prompts of the benchmark are familiar words. */
function wordingOf(rng: Random, wordings: readonly [string, ...string[]]): string {
  return rng.bernoulli(0.6) ? wordings[0] : rng.choice(wordings);
}

function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}
