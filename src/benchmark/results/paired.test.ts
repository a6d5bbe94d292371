import { expect, test } from "vitest";
import type { Row } from "./results.ts";
import { summarizeRows } from "./summary.ts";
import { tablesOf, toText } from "./tables.ts";

const ROW: Row = {
  ...{ subject: "cat", method: "rpo", lambda: 0.5, seed: 0, steps: 240, seconds: 20, memory: null, pictures: 8 },
  ...{ dino: 0.5, clipI: 0.5, clipT: 0.5, alignI: 0.5, alignT: 0.5, copyRate: 0, diversity: 0.1 },
};
const lSim = (subject: string, seed: number, dino: number | null): Row => ({
  ...ROW,
  ...{ subject, seed, dino, method: "l-sim", lambda: null },
});
const rpo = (subject: string, seed: number, dino: number): Row => ({ ...ROW, subject, seed, dino });

const differencesOf = (rows: readonly Row[], table: Row["budget"]) =>
  summarizeRows(rows).flatMap(({ method, budget, lessRpo }) =>
    budget === table && lessRpo !== undefined ? [{ method, figures: lessRpo }] : [],
  );

test("a row is compared with RPO's of the same subject and seed, seeds before subjects", () => {
  const rows = [
    ...[rpo("cat", 0, 0.3), rpo("cat", 1, 0.5), rpo("dog", 0, 0.7)],
    ...[lSim("cat", 0, 0.4), lSim("cat", 1, 0.8), lSim("dog", 0, 0.6), lSim("vase", 0, 0.9), lSim("dog", 1, 0.9)],
  ];
  const [{ method, figures }] = differencesOf(rows, undefined);
  expect(method).toBe("l-sim");
  // cat: .1 and .3; dog: -.1; the vase and dog's second seed have no RPO
  expect(figures.dino?.mean).toBeCloseTo((0.2 - 0.1) / 2, 12);
  expect(figures.dino?.interval?.low).toBeCloseTo(-0.1, 12);
  expect(figures.dino?.interval?.high).toBeCloseTo(0.2, 12);
  expect([figures.dino?.above, figures.dino?.pairs]).toEqual([2, 3]);
  expect(differencesOf([...rows].reverse(), undefined)).toEqual(differencesOf(rows, undefined));
});

test("a figure that one of the two lacks is left out, and so is a row of another budget", () => {
  const rows = [rpo("cat", 0, 0.3), lSim("cat", 0, null), { ...lSim("dog", 0, 0.2), budget: 9 }, rpo("dog", 0, 0.3)];
  const [{ figures }] = differencesOf(rows, undefined);
  expect(figures.dino).toBeUndefined();
  expect(figures.clipI?.pairs).toBe(1);
  expect(differencesOf(rows, 9)).toEqual([]);
});

test("without RPO there is nothing to compare with; nor with it alone", () => {
  expect(differencesOf([lSim("cat", 0, 0.4)], undefined)).toEqual([]);
  expect(differencesOf([rpo("cat", 0, 0.4)], undefined)).toEqual([]);
  expect(tablesOf(summarizeRows([rpo("cat", 0, 0.4)]), { intervals: true, name: "dreambench" })).toHaveLength(1);
});

test("lines that are means over other subjects and seeds are said to be so", () => {
  const [all, one] = [
    [rpo("cat", 0, 0.3), rpo("dog", 0, 0.3), lSim("cat", 0, 0.4), lSim("dog", 0, 0.4)],
    [rpo("cat", 0, 0.3), rpo("dog", 0, 0.3), lSim("cat", 0, 0.4)],
  ].map((rows) => tablesOf(summarizeRows(rows), { intervals: true, name: "dreambench" })[0].notes.join("\n"));
  expect(all).not.toContain("Not all rows are there");
  expect(one).toContain("Not all rows are there");
});

test("the photos and the starting model", () => {
  const rows: Row[] = [
    rpo("cat", 0, 0.4),
    { ...ROW, method: "references", lambda: null, seed: null },
    { ...ROW, method: "base", lambda: null, dino: 0.1 },
  ];
  expect(differencesOf(rows, undefined).map(({ method }) => method)).toEqual(["base"]);
  const [, paired] = tablesOf(summarizeRows(rows), { intervals: true, name: "dreambench" });
  expect(toText(paired.table).split("\n")[2]).toMatch(/^base {4}-0\.300 \(0\/1\)/);
});
