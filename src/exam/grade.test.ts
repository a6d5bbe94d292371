import { expect, test } from "vitest";
import { gradeOf, gradeOfPairs, marksOf, truthOf, type Anchors } from "./grade.ts";
import type { Question } from "./questions.ts";

const QUESTIONS: readonly Question[] = [
  { asks: "place", place: "beach", text: "on the beach" },
  { asks: "colour", colour: "blue", text: "a blue one" },
];
const ANCHORS: Anchors = { realLikeness: [0.9, undefined], realMargin: [0.2, 0.4], photoMargin: [-0.2, -0.4] };
const START = [
  { question: 0, likeness: 0.1, margin: 0.2, isSubject: false },
  { question: 1, margin: 0.4 },
];

test("a real picture of the scene has 1 of both, a copy of the photos 0 of obedience, the starting model 0 of identity", () => {
  const real = [
    { question: 0, likeness: 0.9, margin: 0.2, isSubject: true },
    { question: 1, margin: 0.4 },
  ];
  const copy = [
    { question: 0, likeness: 0.9, margin: -0.2, isSubject: true },
    { question: 1, margin: -0.4 },
  ];
  const means = (answers: typeof START) => {
    const { identity, obedience, colours, good } = gradeOf(marksOf(answers, START, QUESTIONS, ANCHORS));
    return [identity, obedience, colours, good].map(({ mean }) => Number(mean.toFixed(9)));
  };
  // spans of .4 and .8 about their mean .6: obedience (.4 + .8) / 2 / .6, of colours .8 / .6
  expect(means(real)).toEqual([1, 1, 1.333333333, 1]);
  expect(means(copy)).toEqual([1, 0, 0, 0]);
  expect(means(START)).toEqual([0, 1, 1.333333333, 0.5]);
});

test("the truth of a lambda is a harmonic mean, and next to nothing for what nobody wants", () => {
  const grade = (identity: number, obedience: number) => {
    const estimate = (mean: number) => ({ mean, standardError: 0 });
    return { identity: estimate(identity), obedience: estimate(obedience), colours: estimate(0), good: estimate(0) };
  };
  expect(truthOf(grade(0.5, 0.5), 0.3)).toBeCloseTo(0.5, 12);
  expect(truthOf(grade(1, 0.5), 0.5)).toBeCloseTo(2 / 3, 12);
  expect(truthOf(grade(0, 1.2), 0.5)).toBeCloseTo(0.0392, 4); // 1 / (.5 / .02 + .5)
});

test("what a model has over another is the mean over pairs, with the error of their differences", () => {
  const marks = { identity: [0.5, 0.9], obedience: [1, 2], colours: [2], good: [1, 1] };
  const other = { identity: [0.4, 0.8], obedience: [1, 0], colours: [1], good: [0, 1] };
  const { identity, obedience, colours, good } = gradeOfPairs(marks, other);
  expect(identity.mean).toBeCloseTo(0.1, 12);
  expect(identity.standardError).toBeCloseTo(0, 12); // each pair differs by the same, though the pictures do not
  expect(obedience).toEqual({ mean: 1, standardError: 1 }); // 0 and 2: deviation √2, over √2
  expect(colours).toEqual({ mean: 1, standardError: 0 });
  expect(good).toEqual({ mean: 0.5, standardError: 0.5 });
});
