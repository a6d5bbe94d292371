import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Random } from "../../tensor/random.ts";
import { METHODS, variantsOf } from "../methods.ts";
import type { Row } from "./results.ts";
import { summarizeRows, type Line } from "./summary.ts";
import { tablesOf, tablesToLatex, tablesToMarkdown, textTable, toLatex, toMarkdown, toText } from "./tables.ts";

/** Rows at equal seconds. */
const FEW = [...variantsOf(["base", "l-sim", "rpo"], "rpo"), ...variantsOf(["l-sim"], 12.5)].filter(
  ({ budget }) => budget !== undefined,
);

/** Rows of three subjects and two seeds with scores drawn at random; the photos have none for text. */
function makeUp(): Row[] {
  const rng = new Random(5);
  return ["cat", "dog", "vase"].flatMap((subject) =>
    [...variantsOf(METHODS), ...FEW].flatMap(({ method, lambda, budget }) =>
      (method === "references" ? [null] : [0, 1]).map((seed): Row => {
        const photos = method === "references";
        const [dino, clipI, clipT, alignI, alignT] = Array.from({ length: 5 }, () => rng.uniform());
        return {
          ...{
            subject,
            method,
            lambda,
            seed,
            ...(budget !== undefined && { budget }),
            steps: 40 * rng.integer(10),
            seconds: 100 * rng.uniform(),
            memory: 2,
            pictures: 8,
          },
          ...{ dino, clipI, clipT: photos ? null : clipT, alignI, alignT: photos ? null : alignT },
          ...{ copyRate: photos ? null : rng.uniform(), diversity: null },
        };
      }),
    ),
  );
}

const python = spawnSync("python3", ["--version"]).status === 0;
if (!python) process.stderr.write("no python3 here: the table is not compared with bench/recompute_table.py\n");

test.skipIf(!python)("an independent script computes the same table from the same file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-table-"));
  const rows = makeUp();
  const path = join(folder, "results.jsonl");
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const theirs = JSON.parse(execFileSync("python3", ["bench/recompute_table.py", path]).toString()) as Record<
    string,
    Record<string, [number, number]>
  >;
  const ours = summarizeRows(rows);
  const keyOf = ({ method, lambda, budget }: Line) =>
    [method, lambda ?? "-", ...(budget === undefined ? [] : [budget])].join(" ");
  expect(ours.map(keyOf).sort()).toEqual(Object.keys(theirs).sort());
  for (const each of ours) {
    const { figures } = each;
    const line = theirs[keyOf(each)];
    expect(Object.keys(figures).sort()).toEqual(Object.keys(line).sort());
    for (const [name, { mean, deviation }] of Object.entries(figures)) {
      expect(mean).toBeCloseTo(line[name][0], 10);
      expect(deviation).toBeCloseTo(line[name][1], 10);
    }
  }
  await rm(folder, { recursive: true });
});

test("the table does not depend on the order in which jobs ended", () => {
  const rows = makeUp();
  expect(summarizeRows(new Random(1).shuffle(rows))).toEqual(summarizeRows(rows));
});

test("seeds of a subject are averaged before subjects are compared", () => {
  const [first] = makeUp().filter(({ method }) => method === "base");
  const rows = [
    { ...first, subject: "a", seed: 0, dino: 0.2 },
    { ...first, subject: "a", seed: 1, dino: 0.4 },
    { ...first, subject: "b", seed: 0, dino: 0.5 },
  ];
  const [{ figures, subjects, rows: count }] = summarizeRows(rows);
  expect([subjects, count]).toEqual([2, 3]);
  expect(figures.dino?.mean).toBeCloseTo(0.4, 12); // (0.3 + 0.5) / 2
  expect(figures.dino?.deviation).toBeCloseTo(Math.SQRT2 / 10, 12); // of 0.3 and 0.5
  expect(figures.dino?.interval?.low).toBeCloseTo(0.3, 12);
  expect(figures.dino?.interval?.high).toBeCloseTo(0.5, 12);
  expect(figures.diversity).toBeUndefined();
});

test("every format holds every figure, and marks what is published", () => {
  const lines = summarizeRows(makeUp());
  const table = textTable(lines, { intervals: false, name: "dreambench" });
  const captions = { title: "A 100 % test_bench", notes: ["A note."] };
  const [text, markdown, latex] = [toText(table), toMarkdown(table, captions), toLatex(table, captions)];
  for (const cell of table.ours.flat()) {
    expect(text).toContain(cell);
    expect(markdown).toContain(cell);
    expect(latex).toContain(cell.replaceAll("±", "$\\pm$").replaceAll("λ", "$\\lambda$"));
  }
  expect(latex).toContain("A 100 \\% test\\_bench");
  expect(table.published).toHaveLength(17);
  for (const [label] of table.published) expect(label).toMatch(/\(published(, [abcd])?\)$/);
  // arXiv 2407.12164: pure L_sim, DINO .695 ± .077
  expect(markdown).toContain("| _pure L_sim (published)_ |  | _0.695 ± 0.077_ | _0.852 ± 0.043_ | _0.285 ± 0.027_ |");
});

test("published rows, with what they are of, stand beside DreamBench's alone: the rendered world has other judges", () => {
  const lines = summarizeRows(makeUp());
  const [dreambench] = tablesOf(lines, { intervals: false, name: "dreambench" });
  expect(dreambench.table.published).toHaveLength(17);
  expect(dreambench.notes.join("\n")).toContain("not comparable figure by figure");
  for (const { table, notes } of tablesOf(lines, { intervals: false, name: "tinybench" })) {
    expect(table.published).toEqual([]);
    expect(notes.join("\n")).not.toContain("published");
  }
});

test("rows at equal seconds stand in a table of their own, after that of equal steps, without published ones", () => {
  const tables = tablesOf(summarizeRows(new Random(2).shuffle(makeUp())), { intervals: false, name: "dreambench" });
  expect(tables.map(({ heading }) => heading)).toEqual([
    undefined,
    "Less rpo λ 0.5 of the same subject and seed",
    "At equal seconds: as many as rpo λ 0.5 took",
    "At equal seconds: as many as rpo λ 0.5 took, less rpo λ 0.5",
    "At equal seconds: 12.5",
  ]);
  const [steps, , seconds, paired, few] = tables.map(({ table }) => table);
  expect(steps.ours).toHaveLength(variantsOf(METHODS).length);
  expect(seconds.ours.map(([label]) => label)).toEqual(["l-sim", "rpo λ 0.3", "rpo λ 0.5", "rpo λ 0.7"]);
  expect(paired.ours.map(([label]) => label)).toEqual(["l-sim", "rpo λ 0.3", "rpo λ 0.7"]);
  expect(few.ours.map(([label]) => label)).toEqual(["l-sim"]);
  expect([seconds.published, few.published]).toEqual([[], []]);
  expect(tablesToMarkdown(tables, "bench")).toMatch(
    /^# bench\n[^]*\n## Less rpo[^]*\n## At equal seconds: as many[^]*not counted[^]*\n## At/,
  );
  expect(tablesToLatex(tables, "bench").match(/\\begin\{table\}/g)).toHaveLength(5);
});
