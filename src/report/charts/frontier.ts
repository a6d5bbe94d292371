import type { Judged } from "../../reward/judged.ts";
import type { RewardForm } from "../../settings/reward-form.ts";
import type { Estimate } from "../../reward/statistics.ts";
import { html, type Html } from "../html.ts";
import { around, at, frame, type Scales } from "./frame.ts";
import { labelText, placeLabels } from "./labels.ts";
import { plusMinus, polyline, reach } from "./marks.ts";

/** A model of another run, to be compared with. */
export interface Companion {
  readonly label: string;
  readonly judged: Judged;
}

const CONTOUR_POINTS = 60;

/** What the axes show. */
interface Axes {
  readonly image: { readonly name: string; readonly of: (judged: Judged) => Estimate };
  readonly text: { readonly name: string; readonly of: (judged: Judged) => Estimate };
}

const AXES: Readonly<Record<RewardForm, Axes>> = {
  harmonic: {
    image: { name: "ALIGN-I", of: ({ alignI }) => alignI },
    text: { name: "ALIGN-T", of: ({ alignT }) => alignT },
  },
  calibrated: {
    image: { name: "likeness", of: ({ alignI, progress }) => progress?.likeness ?? alignI },
    text: { name: "obedience", of: ({ alignT, progress }) => progress?.obedience ?? alignT },
  },
};

/** A validation, or another run's, at its place on the axes. */
interface Point {
  readonly step: number;
  readonly image: Estimate;
  readonly text: Estimate;
}

/**
 * Likeness against obedience, a dot a validation, joined in the order of training. The curve through the chosen one joins all pairs with the same
 * harmonic mean at this lambda. The harmonic reward is the mean of the pictures' own harmonic means, which is a little lower the more they
 * differ: the curve shows the direction, and close calls are in the table.
 */
export function frontierChart(
  judged: readonly Judged[],
  companions: readonly Companion[],
  { lambda, form, chosen }: { readonly lambda: number; readonly form: RewardForm; readonly chosen: Judged | undefined },
): Html {
  const axes = AXES[form];
  const { image, text } = axes;
  const pointOf = (each: Judged): Point => ({ step: each.step, image: image.of(each), text: text.of(each) });
  const points = judged.map(pointOf);
  const others = companions.map(({ label, judged: each }) => ({ label, point: pointOf(each) }));
  const all = [...points, ...others.map(({ point }) => point)];
  return frame(
    {
      description: `${image.name} against ${text.name} of every validation; at lambda ${lambda} step ${chosen?.step ?? 0} is the best.`,
      x: {
        label: `${text.name}: as the prompt says →`,
        domain: around(
          all.flatMap((point) => reach(point.text)),
          0.12,
        ),
      },
      y: {
        label: `${image.name}: like the photos →`,
        domain: around(
          all.flatMap((point) => reach(point.image)),
          0.12,
        ),
      },
    },
    (scales) => [
      chosen && contour(scales, pointOf(chosen), lambda),
      polyline(
        scales,
        points.map((point) => [point.text.mean, point.image.mean]),
        "trail",
      ),
      points.map((point, i) =>
        dot(scales, point, axes, {
          progress: i / Math.max(1, points.length - 1),
          isChosen: point.step === chosen?.step,
        }),
      ),
      others.map((each) => other(scales, each, axes)),
      labels(scales, [...points.map((point) => ({ label: String(point.step), point })), ...others]),
    ],
  );
}

/** The pairs with the reward of `chosen`: I = λ / (1/r - (1 - λ)/T), clipped to the chart. */
function contour({ x, y }: Scales, { image: alignI, text: alignT }: Point, lambda: number): Html {
  const inverse = lambda / alignI.mean + (1 - lambda) / alignT.mean;
  const [left, right] = x.domain;
  const [bottom, top] = y.domain;
  const points: [number, number][] = [];
  if (lambda === 0) points.push([alignT.mean, bottom], [alignT.mean, top]);
  else
    for (let i = 0; i <= CONTOUR_POINTS; i++) {
      const t = left + ((right - left) * i) / CONTOUR_POINTS;
      const rest = inverse - (1 - lambda) / t;
      const picture = lambda / rest;
      if (rest > 0 && picture >= bottom && picture <= top) points.push([t, picture]);
    }
  return polyline({ x, y }, points, "contour");
}

/** One validation: a dot whose colour goes from the start's to the end's, with crossed error bars and its step. */
function dot(
  { x, y }: Scales,
  { step, image, text }: Point,
  axes: Axes,
  { progress, isChosen }: { readonly progress: number; readonly isChosen: boolean },
): Html {
  const [cx, cy] = [at(x.at(text.mean)), at(y.at(image.mean))];
  const [lowT, highT] = reach(text);
  const [lowI, highI] = reach(image);
  return html`<g
    class="mark stage ${isChosen && "chosen"}"
    color="color-mix(in oklab, var(--late) ${Math.round(progress * 100)}%, var(--early))"
  >
    <title>step ${step}: ${axes.text.name} ${plusMinus(text)}, ${axes.image.name} ${plusMinus(image)}</title>
    <line class="error" x1="${at(x.at(lowT))}" x2="${at(x.at(highT))}" y1="${cy}" y2="${cy}" />
    <line class="error" x1="${cx}" x2="${cx}" y1="${at(y.at(lowI))}" y2="${at(y.at(highI))}" />
    <circle cx="${cx}" cy="${cy}" r="${isChosen ? 6.5 : 4.5}" />
  </g>`;
}

/** Steps and other runs' names, beside their marks. */
function labels({ x, y }: Scales, named: readonly { readonly label: string; readonly point: Point }[]): Html {
  const points = named.map(({ label, point: { image, text } }) => ({
    x: x.at(text.mean),
    y: y.at(image.mean),
    text: label,
  }));
  return html`${placeLabels(points, x.range).map(labelText)}`;
}

function other(
  { x, y }: Scales,
  { label, point: { image, text } }: { readonly label: string; readonly point: Point },
  axes: Axes,
): Html {
  const [cx, cy] = [x.at(text.mean), y.at(image.mean)];
  return html`<g class="mark companion">
    <title>${label}: ${axes.text.name} ${plusMinus(text)}, ${axes.image.name} ${plusMinus(image)}</title>
    <path d="M${at(cx - 5)} ${at(cy - 5)}h10v10h-10z" />
  </g>`;
}
