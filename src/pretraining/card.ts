import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../system/errors.ts";
import { writeFileAtomic } from "../system/files.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Weights } from "./loop.ts";
import { passes, type Figure } from "./judges/figures.ts";

export interface Card {
  readonly title: string;
  /** What it is and what it was trained on and how, a paragraph each. */
  readonly text: readonly string[];
  readonly weights: Weights;
  /** The courses whose training curves are shown. */
  readonly courses: readonly CourseOfCard[];
  readonly figures: readonly Figure[];
  /** Stages that make it again. */
  readonly stages: readonly string[];
}

export interface CourseOfCard {
  readonly name: string;
  /** Its log (JSON lines). */
  readonly log: string;
  /** Which of the log's values to draw. */
  readonly curves: readonly string[];
}

/**
 * Writes a model's README.md, with its training curves as curve-NAME.svg beside it; curves of other courses go.
 * @throws UsageError where a course has no log
 */
export async function writeCard(folder: string, card: Card): Promise<void> {
  const trained: string[] = [];
  const logs = await Promise.all(card.courses.map(async ({ log }) => readLog(log)));
  for (const file of await readdir(folder)) if (/^curve-.*\.svg$/.test(file)) await rm(join(folder, file));
  for (const [i, { name, curves }] of card.courses.entries()) {
    const points = logs[i];
    await writeFileAtomic(join(folder, `curve-${name}.svg`), curveSvg(points, curves));
    trained.push(
      `![Training of ${name}](curve-${name}.svg)`,
      `${name}: ${points[points.length - 1]["step"].toLocaleString("en")} steps.`,
    );
  }
  const parameters = [...card.weights.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const rows = card.figures.map((figure) => {
    const { what, value, bar, digits = 3 } = figure;
    const verdict = bar === undefined ? "" : `${bar} ${passes(figure) ? "(reached)" : "(missed)"}`;
    return `| ${what} | ${value.toFixed(digits)} | ${verdict} |`;
  });
  const lines = [
    `---\nlicense: apache-2.0\n---`,
    `# ${card.title}`,
    ...card.text,
    `${(parameters / 1e6).toFixed(2)} million parameters; weights in F16, the running average of training.`,
    ...trained,
    `## Figures on held-out instances`,
    ["| figure | value | wanted at least |", "| --- | --- | --- |", ...rows].join("\n"),
    `## How to make it again`,
    `\`\`\`\n${card.stages.map((stage) => `npm run --silent pretrain -- ${stage}`).join("\n")}\n\`\`\``,
    `Seeds are fixed and every stage goes on where it was stopped.`,
  ];
  await writeFileAtomic(join(folder, "README.md"), `${lines.join("\n\n")}\n`);
}

type Point = Readonly<Record<string, number>>;

async function readLog(path: string): Promise<Point[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const points = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Point);
  if (points.length === 0) throw new UsageError(`${path}: no log of a training, which the model card shows`);
  return points;
}

const [WIDTH, HEIGHT, MARGIN] = [480, 200, 36];
const COLOURS = ["#1f6feb", "#bf5b04", "#2da44e"];

/** Curves of some of a log's values over its steps, from 0 to the highest. */
export function curveSvg(points: readonly Point[], names: readonly string[]): string {
  const steps = Math.max(1, ...points.map(({ step }) => step));
  const highest = Math.max(1e-9, ...points.flatMap((point) => names.map((name) => point[name] ?? 0)));
  const x = (step: number) => (MARGIN + ((WIDTH - 2 * MARGIN) * step) / steps).toFixed(1);
  const y = (value: number) => (HEIGHT - MARGIN - ((HEIGHT - 2 * MARGIN) * value) / highest).toFixed(1);
  const text = (at: readonly [number, number], anchor: string, words: string, fill = "#57606a") =>
    `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}" fill="${fill}">${words}</text>`;
  const curves = names.flatMap((name, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const line = points.map((point) => `${x(point["step"])},${y(point[name] ?? 0)}`).join(" ");
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${line}"/>`,
      text([WIDTH - MARGIN, 18 + 14 * i], "end", name, colour),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<path d="M${MARGIN} ${MARGIN}V${HEIGHT - MARGIN}H${WIDTH - MARGIN}" fill="none" stroke="#8c959f"/>`,
    text([MARGIN - 4, HEIGHT - MARGIN], "end", "0"),
    text([MARGIN - 4, MARGIN + 4], "end", highest.toFixed(1)),
    text([WIDTH - MARGIN, HEIGHT - MARGIN + 16], "end", `step ${steps}`),
    ...curves,
    "</svg>\n",
  ].join("\n");
}
