import { expect, test } from "vitest";
import { around } from "./frame.ts";
import { movingAverage } from "./losses.ts";
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

test.each([
  [[0]],
  [[1e-320, 2e-320]],
  [[0.5, 0.5 + 1e-17]],
  [[1e-12, 3e-12]],
  [[1e50, -1e50]],
  [[1e50, 1e50]],
  [[]],
  [[NaN, Infinity]],
])("an axis around %o has a few ticks that can be told apart", (values) => {
  const { ticks, format, domain, at } = linear(around(values), [0, 100], { ticks: 5 });
  expect(domain[1]).toBeGreaterThan(domain[0]);
  expect(ticks.length).toBeGreaterThan(1);
  expect(ticks.length).toBeLessThan(20);
  expect(new Set(ticks.map(format)).size).toBe(ticks.length);
  for (const tick of ticks) expect(Number.isFinite(at(tick))).toBe(true);
});

test("a moving average is the mean of the values around, of however many", () => {
  const values = [1, 4, 2, 8, 5, 7];
  expect(movingAverage(values, 3)).toEqual([5 / 2, 7 / 3, 14 / 3, 15 / 3, 20 / 3, 12 / 2]);
  const many = movingAverage(
    Array.from({ length: 1e6 }, (_, i) => i),
    80_001,
  );
  expect(many[500_000]).toBeCloseTo(500_000, 3);
}, 5000);
