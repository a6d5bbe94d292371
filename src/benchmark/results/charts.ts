import { around, at, frame, stepAxis } from "../../report/charts/frame.ts";
import { labelText, placeLabels } from "../../report/charts/labels.ts";
import { polyline } from "../../report/charts/marks.ts";
import { judge } from "../../reward/judged.ts";
import { HARMONIC } from "../../reward/scale.ts";
import { html, type Html } from "../../report/html.ts";
import { summarize } from "../../reward/statistics.ts";
import { DEFAULT_LAMBDA, labelOf } from "../methods.ts";
import type { Line } from "./summary.ts";
import type { Curve } from "./view.ts";

/** A point of a mean curve. */
export interface Point {
  readonly step: number;
  readonly mean: number;
}

/** The mean over runs at each step that all of them validated. */
export function meanCurve(
  curves: readonly Curve[],
  of: (validation: ReturnType<typeof judge>[number]) => number,
): Point[] {
  const judged = curves.map(({ validations }) => judge(validations, DEFAULT_LAMBDA, HARMONIC));
  const [first, ...others] = judged;
  if (first === undefined) return [];
  return first.flatMap(({ step }) => {
    const values = [first, ...others].flatMap((run) => {
      const found = run.find((each) => each.step === step);
      return found === undefined ? [] : [of(found)];
    });
    return values.length === judged.length ? [{ step, mean: summarize(values).mean }] : [];
  });
}

const QUANTITIES = {
  reward: { label: `reward, λ = ${DEFAULT_LAMBDA}`, of: ({ reward }: ReturnType<typeof judge>[number]) => reward.mean },
  alignI: { label: "ALIGN-I", of: ({ alignI }: ReturnType<typeof judge>[number]) => alignI.mean },
  alignT: { label: "ALIGN-T", of: ({ alignT }: ReturnType<typeof judge>[number]) => alignT.mean },
} as const;

/** The paper's figure: a quantity of the validations over training by RPO, with and without preference, the mean over subjects and seeds. */
export function trainingChart(runs: readonly Curve[], quantity: keyof typeof QUANTITIES): Html {
  const curves = runs.filter(({ trainedBy }) => trainedBy === "rpo");
  const { label, of } = QUANTITIES[quantity];
  const series = [
    {
      name: "L_sim + L_pref",
      style: "align-i",
      points: meanCurve(
        curves.filter(({ preference }) => preference),
        of,
      ),
    },
    {
      name: "L_sim",
      style: "align-t",
      points: meanCurve(
        curves.filter(({ preference }) => !preference),
        of,
      ),
    },
  ].filter(({ points }) => points.length > 0);
  const all = series.flatMap(({ points }) => points);
  return frame(
    {
      description: `${label} over training, mean of the subjects, with and without preference.`,
      x: stepAxis([...all].sort((a, b) => a.step - b.step)),
      y: { label, domain: around(all.map(({ mean }) => mean)) },
    },
    (scales) =>
      series.map(({ name, style, points }) => [
        polyline(
          scales,
          points.map(({ step, mean }) => [step, mean]),
          style,
        ),
        points.map(
          ({ step, mean }) =>
            html`<g class="mark ${style}">
              <title>${name}, step ${step}: ${mean.toFixed(3)}</title>
              <circle cx="${at(scales.x.at(step))}" cy="${at(scales.y.at(mean))}" r="3" />
            </g>`,
        ),
      ]),
  );
}

/** Image against text alignment of the table's lines; rpo's lambdas are joined. */
export function benchFrontier(
  lines: readonly Line[],
  image: "alignI" | "clipI" | "dino",
  text: "alignT" | "clipT",
): Html {
  const dots = lines.flatMap((line) => {
    const [i, t] = [line.figures[image]?.mean, line.figures[text]?.mean];
    return i === undefined || t === undefined ? [] : [{ line, i, t }];
  });
  const joined = dots.filter(({ line }) => line.method === "rpo");
  const [x, y] = [
    text === "alignT" ? "ALIGN-T" : "CLIP-T",
    { alignI: "ALIGN-I", clipI: "CLIP-I", dino: "DINO" }[image],
  ];
  return frame(
    {
      description: `${y} against ${x} of every method.`,
      x: {
        label: `${x}: as the prompt says →`,
        domain: around(
          dots.map(({ t }) => t),
          0.15,
        ),
      },
      y: {
        label: `${y}: like the photos →`,
        domain: around(
          dots.map(({ i }) => i),
          0.15,
        ),
      },
    },
    (scales) => [
      polyline(
        scales,
        joined.map(({ t, i }) => [t, i]),
        "trail",
      ),
      dots.map(
        ({ line, i, t }) =>
          html`<g class="mark ${line.method === "rpo" ? "reward" : "align-t"}">
            <title>${labelOf(line)}: ${x} ${t.toFixed(3)}, ${y} ${i.toFixed(3)}</title>
            <circle cx="${at(scales.x.at(t))}" cy="${at(scales.y.at(i))}" r="4.5" />
          </g>`,
      ),
      placeLabels(
        dots.map(({ line, i, t }) => ({ x: scales.x.at(t), y: scales.y.at(i), text: labelOf(line) })),
        scales.x.range,
      ).map(labelText),
    ],
  );
}
