import { otherPromptOf, promptOf } from "../world/caption.ts";
import { COLOUR_NAMES } from "../world/colour.ts";
import { isLive, PLACE_NAMES, type ClassName, type PlaceName } from "../world/scene.ts";
import type { Prompt } from "../world/prompts.ts";

/**
 * What a model is asked, in prompts that no list of the embedded model trains on or chooses by: places in other words than they use, or places
 * that they leave out, and colours that they do not name.
 */
export interface Question extends Prompt {
  readonly asks: "place" | "colour";
}

const OTHER_WORDS = [
  "beach",
  "jungle",
  "city",
  "mountain",
  "wooden floor",
  "water",
  "wheat field",
] as const satisfies readonly PlaceName[];

/** Eight of places, four of colours. {token} and {class} are to be filled in. */
export const QUESTIONS: readonly Question[] = [
  ...OTHER_WORDS.map((place) => question({ place })),
  { place: "pink fabric", asks: "place", text: promptOf({ place: "pink fabric" }, "{token} {class}", false) },
  question({ colour: "blue" }),
  question({ colour: "purple" }),
  question({ colour: "yellow", place: "pink fabric" }),
  question({ colour: "blue", place: "wheat field" }),
];

function question(wording: Pick<Question, "place" | "colour">): Question {
  return {
    ...wording,
    asks: wording.colour === undefined ? "place" : "colour",
    text: otherPromptOf(wording, "{token} {class}"),
  };
}

/** The answers that a question of a picture has, as texts: the right one, and what else the world could show there. */
export function answersTo(
  { asks, place, colour }: Question,
  className: ClassName,
): { readonly right: string; readonly wrong: readonly string[] } {
  const live = isLive(className);
  const text = (wording: Pick<Question, "place" | "colour">): string => promptOf(wording, className, live);
  const right = text({ ...(place && { place }), ...(colour && { colour }) });
  const wrong =
    asks === "place"
      ? PLACE_NAMES.filter((name) => name !== place).map((name) => text({ place: name }))
      : COLOUR_NAMES.filter((name) => name !== colour).map((name) => text({ colour: name, ...(place && { place }) }));
  return { right, wrong };
}
