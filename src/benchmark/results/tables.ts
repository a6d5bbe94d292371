import { meanAndDeviation } from "../../reward/statistics.ts";
import { labelOf } from "../methods.ts";
import { PUBLISHED, PUBLISHED_PROTOCOLS, PUBLISHED_SOURCE } from "./published.ts";
import { MEASURES, type Figure, type Line, type Measure } from "./summary.ts";

/** A table as text, whatever the format; empty cells are "". */
export interface TextTable {
  readonly head: readonly string[];
  readonly ours: readonly (readonly string[])[];
  readonly published: readonly (readonly string[])[];
}

/** What stands above and below a table. */
export interface Captions {
  readonly title: string;
  readonly notes: readonly string[];
}

const COSTS: readonly Measure[] = ["steps", "seconds", "memory"];

/** The columns that some line fills. */
export function shownMeasures(lines: readonly Line[]) {
  return MEASURES.filter(({ name }) => lines.some(({ figures }) => figures[name] !== undefined));
}

/** @param intervals with the bootstrap's intervals, or as the paper prints it */
export function textTable(lines: readonly Line[], { intervals }: { readonly intervals: boolean }): TextTable {
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
    published: PUBLISHED.map(({ label, steps, figures }) => [
      `${label} (published)`,
      "",
      ...measures.map(({ name, digits }) => {
        if (name === "steps") return steps === undefined ? "" : String(steps);
        const figure = figures[name];
        return figure === undefined ? "" : meanAndDeviation({ deviation: undefined, ...figure }, digits);
      }),
    ]),
  };
}

export const TABLE_NOTES = [
  "Mean ± deviation over subjects (a subject's value is the mean over its seeds); in brackets the 95 % bootstrap interval of the mean over subjects; n counts subjects times seeds.",
  `Rows marked "published" are not ours and not comparable figure by figure: ${PUBLISHED_SOURCE}.`,
  PUBLISHED_PROTOCOLS,
];

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
  return [line(head), rule, ...ours.map(line), rule, ...published.map(line), ""].join("\n");
}

export function toMarkdown({ head, ours, published }: TextTable, { title, notes }: Captions): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const italic = (row: readonly string[]) => row.map((cell) => (cell === "" ? "" : `_${cell}_`));
  return [
    `# ${title}`,
    "",
    line(head),
    line(head.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...ours.map(line),
    ...published.map(italic).map(line),
    "",
    ...notes.map((note) => `${note}\n`),
  ].join("\n");
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
    "  \\midrule",
    ...published.map(line),
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
