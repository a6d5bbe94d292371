import { expect, test } from "vitest";
import { placeLabels } from "./labels.ts";

const RANGE = [60, 440] as const;

test("a word stands to the right of its point, above the line to it, and to the left where the chart ends", () => {
  const labels = placeLabels(
    [
      { x: 100, y: 50, text: "base" },
      { x: 430, y: 200, text: "photos" },
    ],
    RANGE,
  );
  expect(labels).toEqual([
    { text: "base", x: 108, y: 44, anchor: "start" },
    { text: "photos", x: 422, y: 194, anchor: "end" },
  ]);
});

test("words of points that lie close do not cover each other or the points", () => {
  const points = [0, 1, 2, 3, 4].map((i) => ({ x: 250 + 3 * i, y: 120 + 2 * i, text: `rpo λ 0.${i}` }));
  const labels = placeLabels(points, RANGE);
  expect(labels.map(({ text }) => text)).toEqual(points.map(({ text }) => text));
  const boxes = labels.map(({ x, y, text, anchor }) => {
    const width = text.length * 6;
    return { left: anchor === "start" ? x : x - width, right: anchor === "start" ? x + width : x, top: y - 9, y };
  });
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1))
      expect(a.left < b.right && b.left < a.right && a.top < b.y && b.top < a.y, "words overlap").toBe(false);
    for (const { x, y } of points)
      expect(a.left < x && x < a.right && a.top < y && y < a.y, "a word covers a point").toBe(false);
    expect(a.left).toBeGreaterThanOrEqual(RANGE[0]);
    expect(a.right).toBeLessThanOrEqual(RANGE[1]);
  }
});
