import { expect, test } from "vitest";
import { linear } from "./scale.ts";

test("an axis is widened to its ticks, which are round and told apart by their digits", () => {
  const scale = linear([0.723, 0.861], [0, 100], { ticks: 5 });
  expect(scale.domain).toEqual([0.7, 0.9]);
  expect(scale.ticks.map(scale.format)).toEqual(["0.70", "0.75", "0.80", "0.85", "0.90"]);
});

test("values go to coordinates in proportion, upside down where the range is", () => {
  const scale = linear([0, 240], [200, 0], { ticks: 6, exact: true });
  expect([0, 60, 240].map(scale.at)).toEqual([200, 150, 0]);
  expect(scale.domain).toEqual([0, 240]);
  expect(scale.ticks.map(scale.format)).toEqual(["0", "50", "100", "150", "200"]);
});

test("ticks below zero have a minus sign, and fine ones their digits", () => {
  const ticksOf = (low: number, high: number) => {
    const scale = linear([low, high], [0, 1], { ticks: 4, exact: true });
    return scale.ticks.map(scale.format);
  };
  expect(ticksOf(-0.5, 0.5)).toEqual(["−0.4", "−0.2", "0.0", "0.2", "0.4"]);
  expect(ticksOf(0.0011, 0.0022)).toEqual(["0.0012", "0.0014", "0.0016", "0.0018", "0.0020", "0.0022"]);
});
