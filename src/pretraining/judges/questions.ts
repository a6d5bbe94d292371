import type { Feature } from "../../tensor/feature.ts";
import { promptOf, type Wording } from "../../world/caption.ts";
import { COLOUR_NAMES } from "../../world/colour.ts";
import { CLASS_NAMES, isLive, PLACE_NAMES, type Scene } from "../../world/scene.ts";
import { mostSimilar } from "./figures.ts";

export const SUBJECTS = ["class", "place", "colour"] as const;
export type SubjectOfQuestion = (typeof SUBJECTS)[number];

/** A choice between texts, one of which is true of a picture. */
export interface Question {
  readonly about: SubjectOfQuestion;
  readonly texts: readonly string[];
  /** Which of the texts is true. */
  readonly answer: number;
}

/** What a judge is asked about a picture of a scene: its class, and the place and the colour where its caption names them. */
export function questionsOn({ instance: { className }, place, colour }: Scene): Question[] {
  const about = <T extends string>(
    subject: SubjectOfQuestion,
    names: readonly T[],
    answer: T | undefined,
    text: (name: T) => string,
  ): Question[] =>
    answer === undefined ? [] : [{ about: subject, texts: names.map(text), answer: names.indexOf(answer) }];
  const photo = (wording: Wording, noun: string) => `a photo of ${promptOf(wording, noun, isLive(noun))}`;
  return [
    ...about("class", CLASS_NAMES, className, (name) => photo({}, name)),
    ...about("place", PLACE_NAMES, place, (name) => photo({ place: name }, className)),
    ...about("colour", COLOUR_NAMES, colour, (name) => photo({ colour: name }, className)),
  ];
}

/** The share of right answers to each kind of question. @param texts features by text */
export function rightAnswers(
  pictures: readonly { readonly scene: Scene; readonly feature: Feature }[],
  texts: ReadonlyMap<string, Feature>,
): Record<SubjectOfQuestion, number> {
  const asked = { class: 0, place: 0, colour: 0 };
  const right = { class: 0, place: 0, colour: 0 };
  for (const { scene, feature } of pictures)
    for (const { about, texts: choices, answer } of questionsOn(scene)) {
      const candidates = choices.map((text) => texts.get(text) ?? new Float32Array(feature.length));
      asked[about]++;
      if (mostSimilar(feature, candidates) === answer) right[about]++;
    }
  return {
    class: right.class / asked.class,
    place: right.place / asked.place,
    colour: right.colour / asked.colour,
  };
}

/** All texts of the questions on some scenes, each once. */
export function textsOf(scenes: readonly Scene[]): string[] {
  return [...new Set(scenes.flatMap((scene) => questionsOn(scene).flatMap(({ texts }) => texts)))];
}
