import { calibratedReward } from "../reward/calibrated.ts";
import { estimate, mean, type Estimate } from "../reward/statistics.ts";
import type { Question } from "./questions.ts";

/** What the judges say of one picture. */
export interface Answer {
  /** Index of its question. */
  readonly question: number;
  /** Mean cosine of DINO's class token to real renderings of this subject in this very scene; of questions of a place. */
  readonly likeness?: number;
  /** CLIP's cosine with the right answer less that with the best wrong one. */
  readonly margin: number;
  /** Whether the subject is recognised among other instances of its class in the same scene; of questions of a place. */
  readonly isSubject?: boolean;
}

/** The ends of the scales, for each question. */
export interface Anchors {
  /** What real renderings get of each other. */
  readonly realLikeness: readonly (number | undefined)[];
  /** What real renderings of the scene that was asked for get. */
  readonly realMargin: readonly number[];
  /** What the photos get, which obey nothing. */
  readonly photoMargin: readonly number[];
}

/** What {@link Grade} has, in the order of tables. */
export const GRADE_PARTS = ["identity", "obedience", "colours", "good"] as const;

/** How well a model has learnt the subject and still does as it is told. */
export interface Grade {
  /** 0: no more like the subject than the starting model's pictures; 1: as real renderings of it in the scene asked for. */
  readonly identity: Estimate;
  /** 0: what the photos themselves show of what was asked; 1: what real renderings of it do. */
  readonly obedience: Estimate;
  /** The same for the questions of a colour. */
  readonly colours: Estimate;
  /** The share of pictures that answer right, and of those of a place that also show this subject and no other of its kind. */
  readonly good: Estimate;
}

/** The numbers whose means a grade has, picture by picture: what pairs of models are compared by. */
export interface Marks {
  readonly identity: readonly number[];
  readonly obedience: readonly number[];
  readonly colours: readonly number[];
  readonly good: readonly number[];
}

/**
 * Marks of pictures. With L_q a picture's likeness, M_q its margin, and denominators that are means over the questions:
 *
 *     identity  = (L - L of the starting model's picture of the same noise) / (mean real L - mean starting L)
 *     obedience = (M - M of the photos) / mean (M of real renderings - M of the photos)
 *
 * @param start of the starting model: the same questions and noises, in the same order
 */
export function marksOf(
  answers: readonly Answer[],
  start: readonly Answer[],
  questions: readonly Question[],
  { realLikeness, realMargin, photoMargin }: Anchors,
): Marks {
  const likenessOf = ({ likeness }: Answer): number => likeness ?? NaN;
  const asked = (asks: Question["asks"]) => (_: unknown, i: number) => questions[answers[i].question].asks === asks;
  const places = answers.filter(asked("place"));
  const startPlaces = start.filter(asked("place"));
  const real = places.map(({ question }) => realLikeness[question] ?? NaN);
  const range = mean(real) - mean(startPlaces.map(likenessOf));
  const span = mean(realMargin.map((margin, q) => margin - photoMargin[q]));
  const obedience = answers.map(({ margin, question }) => (margin - photoMargin[question]) / span);
  return {
    identity: places.map((answer, i) => (likenessOf(answer) - likenessOf(startPlaces[i])) / range),
    obedience,
    colours: obedience.filter(asked("colour")),
    good: answers.map(({ margin, isSubject }) => (margin > 0 && isSubject !== false ? 1 : 0)),
  };
}

/** Means of marks, with their standard errors over the pictures. */
export function gradeOf({ identity, obedience, colours, good }: Marks): Grade {
  return {
    identity: estimate(identity),
    obedience: estimate(obedience),
    colours: estimate(colours),
    good: estimate(good),
  };
}

/** What a model has over another one: means of the differences, pair by pair of pictures of the same question and noise. */
export function gradeOfPairs(marks: Marks, other: Marks): Grade {
  const less = (part: keyof Marks) => marks[part].map((mark, i) => mark - other[part][i]);
  return gradeOf({
    identity: less("identity"),
    obedience: less("obedience"),
    colours: less("colours"),
    good: less("good"),
  });
}

/** What the calibrated reward would be, were identity and obedience what it measures. */
export function truthOf({ identity, obedience }: Grade, lambda: number): number {
  return calibratedReward({ likeness: identity.mean, obedience: obedience.mean }, lambda);
}
