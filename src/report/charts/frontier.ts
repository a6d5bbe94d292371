import type { Judged } from "../../reward/judged.ts";
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

/**
 * Picture against text alignment, a dot a validation, joined in the order of training. The curve through the chosen one joins all pairs of
 * alignments with the same harmonic mean at this lambda. The reward is the mean of the pictures' own harmonic means, which is a little lower the more
 * they differ: the curve shows the direction, and close calls are in the table.
 */
export function frontierChart(
  judged: readonly Judged[],
  companions: readonly Companion[],
  lambda: number,
  chosen: Judged | undefined,
): Html {
  const all = [...judged, ...companions.map((each) => each.judged)];
  return frame(
    {
      description: `Picture alignment against text alignment of every validation; at lambda ${lambda} step ${chosen?.step ?? 0} is the best.`,
      x: {
        label: "ALIGN-T: as the prompt says →",
        domain: around(
          all.flatMap(({ alignT }) => reach(alignT)),
          0.12,
        ),
      },
      y: {
        label: "ALIGN-I: like the photos →",
        domain: around(
          all.flatMap(({ alignI }) => reach(alignI)),
          0.12,
        ),
      },
    },
    (scales) => [
      chosen && contour(scales, chosen, lambda),
      polyline(
        scales,
        judged.map(({ alignI, alignT }) => [alignT.mean, alignI.mean]),
        "trail",
      ),
      judged.map((each, i) => dot(scales, each, i / Math.max(1, judged.length - 1), each.step === chosen?.step)),
      companions.map((companion) => other(scales, companion)),
      labels(scales, judged, companions),
    ],
  );
}

/** The pairs with the reward of `chosen`: I = λ / (1/r - (1 - λ)/T), clipped to the chart. */
function contour({ x, y }: Scales, { alignI, alignT }: Judged, lambda: number): Html {
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
function dot({ x, y }: Scales, { step, alignI, alignT }: Judged, progress: number, isChosen: boolean): Html {
  const [cx, cy] = [at(x.at(alignT.mean)), at(y.at(alignI.mean))];
  const [lowT, highT] = reach(alignT);
  const [lowI, highI] = reach(alignI);
  return html`<g
    class="mark stage ${isChosen && "chosen"}"
    color="color-mix(in oklab, var(--late) ${Math.round(progress * 100)}%, var(--early))"
  >
    <title>step ${step}: ALIGN-T ${plusMinus(alignT)}, ALIGN-I ${plusMinus(alignI)}</title>
    <line class="error" x1="${at(x.at(lowT))}" x2="${at(x.at(highT))}" y1="${cy}" y2="${cy}" />
    <line class="error" x1="${cx}" x2="${cx}" y1="${at(y.at(lowI))}" y2="${at(y.at(highI))}" />
    <circle cx="${cx}" cy="${cy}" r="${isChosen ? 6.5 : 4.5}" />
  </g>`;
}

/** Steps and other runs' names, beside their marks. */
function labels({ x, y }: Scales, judged: readonly Judged[], companions: readonly Companion[]): Html {
  const named = [...judged.map((each) => ({ label: String(each.step), judged: each })), ...companions];
  const points = named.map(({ label, judged: { alignI, alignT } }) => ({
    x: x.at(alignT.mean),
    y: y.at(alignI.mean),
    text: label,
  }));
  return html`${placeLabels(points, x.range).map(labelText)}`;
}

function other({ x, y }: Scales, { label, judged }: Companion): Html {
  const [cx, cy] = [x.at(judged.alignT.mean), y.at(judged.alignI.mean)];
  return html`<g class="mark companion">
    <title>${label}: ALIGN-T ${plusMinus(judged.alignT)}, ALIGN-I ${plusMinus(judged.alignI)}</title>
    <path d="M${at(cx - 5)} ${at(cy - 5)}h10v10h-10z" />
  </g>`;
}
