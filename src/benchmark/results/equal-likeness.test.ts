import { expect, test } from "vitest";
import { atEqualLikeness, bestObedience } from "./equal-likeness.ts";
import { likenessTables, tablesToText } from "./tables.ts";
import type { Curve } from "./view.ts";

/** A training by its validations' [ALIGN-I, ALIGN-T]. */
const curve = (name: "rpo" | "l-sim" | "custom", subject: string, points: readonly [number, number][]): Curve => ({
  subject,
  seed: 0,
  trainedBy: name === "custom" ? "custom" : "rpo",
  preference: name !== "l-sim",
  validations: points.map(([alignI, alignT], step) => ({ step, seconds: step, images: [{ alignI, alignT }] })),
});

test("the best obedience on a way, where it is as alike", () => {
  const way = [
    { alignI: 0.5, alignT: 0.9 },
    { alignI: 0.7, alignT: 0.7 },
    { alignI: 0.8, alignT: 0.2 },
  ];
  expect(bestObedience(way, 0.6)).toBeCloseTo(0.8, 12); // half way between the first two
  expect(bestObedience(way, 0.75)).toBeCloseTo(0.45, 12);
  expect(bestObedience(way, 0.5)).toBe(0.9);
  expect(bestObedience(way, 0.81)).toBeUndefined();
  // a way that comes back
  expect(bestObedience([...way, { alignI: 0.6, alignT: 0.8 }], 0.7)).toBeCloseTo(0.7, 12);
  expect(bestObedience([], 0.1)).toBeUndefined();
});

test("RPO against its own way is at 0, where it wanders too", () => {
  const way: [number, number][] = [
    [0.5, 0.9],
    [0.8, 0.85],
    [0.7, 0.6],
  ];
  const lines = atEqualLikeness([curve("rpo", "cat", way), curve("l-sim", "cat", way)]);
  expect(lines[0].alignT?.mean).toBe(0);
});

test("every training is compared with the last step of RPO's of the same subject and seed", () => {
  const lines = atEqualLikeness([
    curve("rpo", "cat", [
      [0.5, 0.9],
      [0.7, 0.8],
    ]),
    curve("l-sim", "cat", [
      [0.5, 0.9],
      [0.9, 0.5],
    ]), // at .7: .7, less .8
    curve("rpo", "dog", [
      [0.5, 0.9],
      [0.6, 0.6],
    ]),
    curve("l-sim", "dog", [
      [0.5, 0.9],
      [0.7, 0.7],
    ]), // at .6: .8, less .6
    curve("custom", "dog", [
      [0.5, 0.9],
      [0.55, 0.7],
    ]),
    curve("l-sim", "vase", [[0.5, 0.9]]), // no RPO of it
  ]);
  expect(lines.map(({ method, trainings, missed }) => [method, trainings, missed])).toEqual([
    ["l-sim", 2, 0],
    ["custom", 1, 1],
  ]);
  const [{ alignT }, custom] = lines;
  expect(alignT).toMatchObject({ above: 1, pairs: 2 });
  expect(alignT?.mean).toBeCloseTo(0.05, 12);
  expect(alignT?.interval?.low).toBeCloseTo(-0.1, 12);
  expect(alignT?.interval?.high).toBeCloseTo(0.2, 12);
  expect(custom.alignT).toBeUndefined();
  const text = tablesToText(likenessTables(lines));
  expect(text).toMatch(/l-sim +\+0\.0500 \[-0\.1000, 0\.2000\] \(1\/2\) +0 of 2\n/);
  expect(text).toMatch(/custom +1 of 1\n/);
  expect(likenessTables(atEqualLikeness([curve("custom", "dog", [[0.5, 0.9]])]))).toEqual([]);
});
