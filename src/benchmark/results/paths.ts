import { around, at, frame } from "../../report/charts/frame.ts";
import { labelText, placeLabels } from "../../report/charts/labels.ts";
import { polyline } from "../../report/charts/marks.ts";
import { html, type Html } from "../../report/html.ts";
import { meanCurve } from "./charts.ts";
import type { Curve } from "./view.ts";

/** The way of each method's validations between obedience and likeness. */

/** Colours that differ in lightness too, and read on a light and a dark page; more methods than these begin again, with dashes. */
const COLOURS = ["#d1495b", "#2e86c1", "#3c9d5b", "#b7791f", "#8e5bb5", "#607d8b"];

/** Added to the page's style. */
export const PATH_STYLE = COLOURS.map(
  (colour, i) => `.line.path-${i}{stroke:${colour}}.mark.path-${i},.key.path-${i}{color:${colour}}`,
)
  .concat(".line.again{stroke-dasharray:5 4}.mark.path-start circle{fill:none;stroke:var(--ink)}")
  .join("");

interface Path {
  readonly name: string;
  readonly style: string;
  readonly points: readonly { readonly step: number; readonly alignI: number; readonly alignT: number }[];
}

/** A path for each way of training, L_sim alone being one. */
export function pathsOf(curves: readonly Curve[]): Path[] {
  const groups = new Map<string, Curve[]>();
  for (const curve of curves) groups.set(nameOf(curve), [...(groups.get(nameOf(curve)) ?? []), curve]);
  return [...groups].map(([name, mine], i) => {
    const alignT = new Map(meanCurve(mine, (each) => each.alignT.mean).map(({ step, mean }) => [step, mean]));
    const points = meanCurve(mine, (each) => each.alignI.mean).flatMap(({ step, mean }) => {
      const text = alignT.get(step);
      return text === undefined ? [] : [{ step, alignI: mean, alignT: text }];
    });
    return { name, style: `path-${i % COLOURS.length}${i < COLOURS.length ? "" : " again"}`, points };
  });
}

/** The paper's own method, with its preference. */
export function isRpo({ trainedBy, preference }: Curve): boolean {
  return trainedBy === "rpo" && preference;
}

/** "l-sim" is RPO's training without the preference. */
export function nameOf(curve: Curve): string {
  return curve.trainedBy === "rpo" && !isRpo(curve) ? "l-sim" : curve.trainedBy;
}

/** The methods' names in their colours. */
export function pathKeys(curves: readonly Curve[]): Html {
  return html`${pathsOf(curves).map(({ name, style }) => html`<span class="key ${style}">${name}</span> `)}`;
}

/** ALIGN-I against ALIGN-T of each method's validations, from the first to the last. */
export function learningPaths(curves: readonly Curve[]): Html {
  const paths = pathsOf(curves).filter(({ points }) => points.length > 0);
  const all = paths.flatMap(({ points }) => points);
  const domain = (of: "alignI" | "alignT") =>
    around(
      all.map((point) => point[of]),
      0.15,
    );
  return frame(
    {
      description: "ALIGN-I against ALIGN-T over training, for every method, mean of the subjects.",
      x: { label: "ALIGN-T: as the prompt says →", domain: domain("alignT") },
      y: { label: "ALIGN-I: like the photos →", domain: domain("alignI") },
    },
    (scales) => {
      const where = ({ alignT, alignI }: Path["points"][number]) => ({
        x: scales.x.at(alignT),
        y: scales.y.at(alignI),
      });
      const ends = paths.map(({ name, points }) => ({ ...where(points[points.length - 1]), text: name }));
      return [
        paths.map(({ style, points }) =>
          polyline(
            scales,
            points.map(({ alignT, alignI }) => [alignT, alignI]),
            style,
          ),
        ),
        paths.map(({ name, style, points }) =>
          points.map((point, i) => {
            const { x, y } = where(point);
            const title = `${name}, step ${point.step}: ALIGN-T ${point.alignT.toFixed(3)}, ALIGN-I ${point.alignI.toFixed(3)}`;
            return html`<g class="mark ${i === 0 ? "path-start" : style}">
              <title>${title}</title>
              <circle cx="${at(x)}" cy="${at(y)}" r="${i === 0 ? 6 : 3}" />
            </g>`;
          }),
        ),
        placeLabels(ends, scales.x.range).map(labelText),
      ];
    },
  );
}
