import { promptOf, type Wording } from "./caption.ts";
import type { ColourName } from "./colour.ts";
import type { PlaceName, Worn } from "./scene.ts";

/** A prompt with `{token}` and `{class}` in it, and what a picture of it must show. */
export interface Prompt extends Wording {
  readonly text: string;
}

export type SubjectKind = "object" | "live";

/** DreamBench's places that the world knows; RPO's training prompts have others. */
const EVAL_PLACES = [
  "jungle",
  "snow",
  "beach",
  "pink fabric",
  "wooden floor",
  "city",
  "mountain",
  "wheat field",
  "water",
] as const satisfies readonly PlaceName[];

const EVAL_OBJECT: readonly Wording[] = [
  ...EVAL_PLACES.map((place) => ({ place })),
  ...colours("red", "purple", "blue", "yellow", "pink", "brown", "black"),
  { colour: "red", place: "snow" },
  { colour: "purple", place: "beach" },
  { colour: "blue", place: "jungle" },
  { colour: "yellow", place: "city" },
  { colour: "red", place: "wooden floor" },
  { colour: "purple", place: "mountain" },
  { colour: "blue", place: "pink fabric" },
  { colour: "red", place: "water" },
  { style: "van gogh", place: "beach" },
];

const EVAL_LIVE: readonly Wording[] = [
  ...EVAL_PLACES.map((place) => ({ place })),
  ...colours("red", "purple", "blue", "yellow"),
  wearing("hat", "red"),
  wearing("santa hat", null),
  wearing("scarf", "rainbow"),
  wearing("top hat", null),
  wearing("glasses", "pink"),
  wearing("shirt", "yellow"),
  wearing("wizard outfit", "purple"),
  { ...wearing("hat", "red"), place: "snow" },
  { ...wearing("shirt", "yellow"), place: "beach" },
  { ...wearing("scarf", "rainbow"), place: "mountain" },
  { colour: "red", place: "city" },
  { colour: "purple", place: "jungle" },
];

/** RPO's own training prompts that the world can show come first; the others stand for the Great Wall, Liberty, roof and subway. */
const TRAINING: Readonly<Record<SubjectKind, readonly Wording[]>> = {
  object: [
    { style: "van gogh" },
    { place: "moon" },
    { colour: "green" },
    { place: "volcano" },
    { place: "pool" },
    { colour: "orange" },
    { colour: "white" },
    { style: "pencil sketch" },
  ],
  live: [
    wearing("outfit", "green"),
    { style: "van gogh" },
    { place: "pool" },
    { place: "moon" },
    { colour: "green" },
    { place: "volcano" },
    wearing("hat", "blue"),
    { colour: "white" },
  ],
};

/** The 25 prompts of the miniature benchmark, after DreamBench's; none is among {@link trainingPrompts}. */
export function evalPrompts(kind: SubjectKind): readonly Prompt[] {
  return (kind === "live" ? EVAL_LIVE : EVAL_OBJECT).map((wording) => written(wording, kind));
}

/** The eight prompts for negatives and validation, after RPO's. */
export function trainingPrompts(kind: SubjectKind): readonly Prompt[] {
  return TRAINING[kind].map((wording) => written(wording, kind));
}

function written(wording: Wording, kind: SubjectKind): Prompt {
  return { ...wording, text: promptOf(wording, "{token} {class}", kind === "live") };
}

function colours(...names: readonly ColourName[]): Wording[] {
  return names.map((colour) => ({ colour }));
}

function wearing(item: Worn["item"], colour: Worn["colour"]): Wording {
  return { worn: { item, colour } };
}
