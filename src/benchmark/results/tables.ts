import { meanAndDeviation, signed } from "../../reward/statistics.ts";
import { labelOf } from "../methods.ts";
import { PUBLISHED, PUBLISHED_ORIGINS, PUBLISHED_SOURCE } from "./published.ts";
import type { Budget } from "../../settings/bench.ts";
import type { BenchmarkName } from "../names.ts";
import type { LikenessLine } from "./equal-likeness.ts";
import { MEASURES, type Measure } from "./measures.ts";
import { BASELINE, type PairedFigure } from "./paired.ts";
import type { Figure, Line } from "./summary.ts";

/** A table as text, whatever the format; empty cells are "". */
export interface TextTable {
  readonly head: readonly string[];
  readonly ours: readonly (readonly string[])[];
  readonly published: readonly (readonly string[])[];
}

/** One of a benchmark's tables. */
export interface TitledTable {
  /** Above it; absent: it is the first. */
  readonly heading?: string;
  readonly table: TextTable;
  /** Of this table alone. */
  readonly notes: readonly string[];
}

export interface TableOptions {
  /** With the bootstrap's intervals, or as the paper prints it. */
  readonly intervals: boolean;
  /** What the benchmark is called: published figures say something beside those of DreamBench alone. */
  readonly name: string;
}

/** What stands above and below a table. */
export interface Captions {
  readonly title: string;
  readonly notes: readonly string[];
}

/** Whose subjects the published figures are of. */
const PUBLISHED_ON: BenchmarkName = "dreambench";

const COSTS: readonly Measure[] = ["steps", "seconds", "memory"];

/** The columns that some line fills. */
export function shownMeasures(lines: readonly Line[]) {
  return MEASURES.filter(({ name }) => lines.some(({ figures }) => figures[name] !== undefined));
}

/** The tables of a benchmark's lines: at equal steps, with the published rows where they are of the same subjects, and at equal seconds where rows were made so; below each, its rows' differences to RPO. */
export function tablesOf(lines: readonly Line[], options: TableOptions): TitledTable[] {
  const budgets = [...new Set(lines.map(({ budget }) => budget))];
  return budgets.flatMap((budget) => {
    const mine = lines.filter((line) => line.budget === budget);
    const table = textTable(mine, options);
    const uneven = isEven(mine) ? [] : [UNEVEN_NOTE];
    const published = table.published.length > 0 ? PUBLISHED_NOTES : [];
    const less = mine.filter(({ lessRpo }) => lessRpo !== undefined);
    const paired =
      less.length === 0
        ? []
        : [{ heading: pairedHeadingOf(budget), table: pairedTable(less, options), notes: PAIRED_NOTES }];
    return budget === undefined
      ? [{ table, notes: [...uneven, TABLE_NOTE, ...published] }, ...paired]
      : [
          { heading: headingOf(budget), table: { ...table, published: [] }, notes: [...uneven, ...SECONDS_NOTES] },
          ...paired,
        ];
  });
}

/** Whether all lines are of as many subjects and seeds, as in a benchmark that is done. The photos have no seeds. */
function isEven(lines: readonly Line[]): boolean {
  return new Set(lines.filter(({ method }) => method !== "references").map(({ rows }) => rows)).size < 2;
}

function headingOf(budget: Budget): string {
  return budget === "rpo" ? `At equal seconds: as many as ${labelOf(BASELINE)} took` : `At equal seconds: ${budget}`;
}

function pairedHeadingOf(budget: Budget | undefined): string {
  const all = `Less ${labelOf(BASELINE)} of the same subject and seed`;
  return budget === undefined ? all : `${headingOf(budget)}, less ${labelOf(BASELINE)}`;
}

function pairedTable(lines: readonly Line[], options: TableOptions): TextTable {
  const measures = MEASURES.filter(({ name }) => lines.some(({ lessRpo }) => lessRpo?.[name] !== undefined));
  return {
    head: ["method", ...measures.map(({ label }) => label)],
    ours: lines.map((line) => [
      labelOf(line),
      ...measures.map(({ name, digits }) => pairedText(line.lessRpo?.[name], digits, options)),
    ]),
    published: [],
  };
}

/** Of every other way to train, at RPO's likeness. @returns none where nothing was trained beside RPO */
export function likenessTables(lines: readonly LikenessLine[]): TitledTable[] {
  if (lines.length === 0) return [];
  const table: TextTable = {
    head: ["method", "ALIGN-T less RPO's", "never as alike"],
    ours: lines.map(({ method, alignT, trainings, missed }) => [
      method,
      // of a single subject it would look like a result
      alignT?.interval === undefined ? "" : pairedText(alignT, 4, { intervals: true }),
      `${missed} of ${trainings}`,
    ]),
    published: [],
  };
  return [{ heading: "At equal likeness", table, notes: LIKENESS_NOTES }];
}

/** "+0.120 [0.081, 0.158] (7/8)"; "" of none. */
function pairedText(
  figure: PairedFigure | undefined,
  digits: number,
  { intervals }: Pick<TableOptions, "intervals">,
): string {
  if (figure === undefined) return "";
  const { mean, interval, above, pairs } = figure;
  const range = interval && intervals ? ` [${interval.low.toFixed(digits)}, ${interval.high.toFixed(digits)}]` : "";
  return signed(mean, `${mean.toFixed(digits)}${range} (${above}/${pairs})`);
}

export function textTable(lines: readonly Line[], { intervals, name }: TableOptions): TextTable {
  const measures = shownMeasures(lines);
  const cell = (figure: Figure | undefined, { name, digits }: (typeof MEASURES)[number]): string => {
    if (figure === undefined) return "";
    if (COSTS.includes(name)) return figure.mean.toFixed(digits);
    const { interval } = figure;
    const range = interval && intervals ? ` [${interval.low.toFixed(digits)}, ${interval.high.toFixed(digits)}]` : "";
    return `${meanAndDeviation(figure, digits)}${range}`;
  };
  return {
    head: ["method", "n", ...measures.map(({ label }) => label)],
    ours: lines.map((line) => [
      labelOf(line),
      String(line.rows),
      ...measures.map((measure) => cell(line.figures[measure.name], measure)),
    ]),
    published: (name === PUBLISHED_ON ? PUBLISHED : []).map(({ label, steps, figures, origin }) => [
      `${label} (published${origin === undefined ? "" : `, ${origin}`})`,
      "",
      ...measures.map(({ name, digits }) => {
        if (name === "steps") return steps === undefined ? "" : String(steps);
        const figure = figures[name];
        return figure === undefined ? "" : meanAndDeviation({ deviation: undefined, ...figure }, digits);
      }),
    ]),
  };
}

const TABLE_NOTE =
  "Mean ± deviation over subjects (a subject's value is the mean over its seeds); in brackets the 95 % bootstrap interval of the mean over subjects; n counts subjects times seeds.";

const PUBLISHED_NOTES = [
  `Rows marked "published" are not ours and not comparable figure by figure: ${PUBLISHED_SOURCE}.`,
  ...Object.entries(PUBLISHED_ORIGINS).map(([mark, origin]) => `(published, ${mark}): ${origin}.`),
];

const UNEVEN_NOTE =
  "Not all rows are there: lines with another n are means over other subjects and seeds, and compare only below, pair by pair.";

const SECONDS_NOTES = [
  "Each training's last validated checkpoint within the seconds, or with a choice by the reward the best until then; one whose steps ended before took more of them. Seconds are those of training steps: pictures drawn for validations, before the first step or in rounds are not counted, nor is loading.",
];

const PAIRED_NOTES = [
  "Mean difference over subjects (a subject's value is the mean over its seeds); in brackets the 95 % bootstrap interval over subjects; in how many of the pairs the row is above RPO.",
];

const LIKENESS_NOTES = [
  "As alike as RPO at its last validation: of RPO and of each other training the best obedience on its way where it is at least as alike (ALIGN-I of the validations, straight between them). Above 0 it obeys better than RPO, in so many of the pairs; trainings that never are as alike are not in the mean.",
];

/** All of a benchmark's tables for a terminal. */
export function tablesToText(tables: readonly TitledTable[]): string {
  return tables
    .map(({ heading, table }) => `${heading === undefined ? "" : `${heading}\n`}${toText(table)}`)
    .join("\n");
}

/** For a terminal: columns aligned, published rows below a line. */
export function toText({ head, ours, published }: TextTable): string {
  const rows = [head, ...ours, ...published];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  const below = published.length === 0 ? [] : [rule, ...published.map(line)];
  return [line(head), rule, ...ours.map(line), ...below, ""].join("\n");
}

/** All of a benchmark's tables, a section for each but the first. */
export function tablesToMarkdown(tables: readonly TitledTable[], title: string): string {
  return tables
    .map(({ heading, table, notes }) =>
      toMarkdown(table, { title: heading ?? title, notes, isSection: heading !== undefined }),
    )
    .join("\n");
}

export function toMarkdown(
  { head, ours, published }: TextTable,
  { title, notes, isSection = false }: Captions & { readonly isSection?: boolean },
): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const italic = (row: readonly string[]) => row.map((cell) => (cell === "" ? "" : `_${cell}_`));
  return [
    `${isSection ? "##" : "#"} ${title}`,
    "",
    line(head),
    line(head.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...ours.map(line),
    ...published.map(italic).map(line),
    "",
    ...notes.map((note) => `${note}\n`),
  ].join("\n");
}

/** All of a benchmark's tables, one after the other. */
export function tablesToLatex(tables: readonly TitledTable[], title: string): string {
  return tables
    .map(({ heading, table, notes }) =>
      toLatex(table, { title: heading === undefined ? title : `${title}. ${heading}`, notes }),
    )
    .join("\n");
}

/** A tabular of booktabs. */
export function toLatex({ head, ours, published }: TextTable, { title, notes }: Captions): string {
  const line = (row: readonly string[]) => `  ${row.map(escapeLatex).join(" & ")} \\\\`;
  return [
    ...notes.map((note) => `% ${note}`),
    "\\begin{table}",
    `  \\caption{${escapeLatex(title)}}`,
    `  \\begin{tabular}{l${"r".repeat(head.length - 1)}}`,
    "  \\toprule",
    line(head),
    "  \\midrule",
    ...ours.map(line),
    ...(published.length === 0 ? [] : ["  \\midrule", ...published.map(line)]),
    "  \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}

function escapeLatex(text: string): string {
  return text
    .replace(/[\\{}]/g, "")
    .replace(/[_&%$#]/g, (character) => `\\${character}`)
    .replaceAll("±", "$\\pm$")
    .replaceAll("λ", "$\\lambda$");
}
