import type { Judged } from "../../reward/judged.ts";
import type { CurveChart } from "../../settings/method-entry.ts";
import { averagedSteps, lossChart } from "../charts/losses.ts";
import { alignmentChart } from "../charts/reward.ts";
import { html, type Html } from "../html.ts";

/** What changes with the steps of a run, for the report and for the page that watches it. */

/** How a curve's value of a step is found. */
export type CurveOf<S> = (curve: string) => (step: S) => number;

/** What a run has besides its method's: what rules of stopping watch, and Prodigy's estimate. */
const COMMON: readonly CurveChart[] = [
  {
    curve: "fixed",
    label: "fixed loss",
    description: "Denoising loss on fixed draws of the photos",
    caption:
      "Denoising loss on the same photos, noises and timesteps each time it was measured, by whose variance training may stop.",
  },
  {
    curve: "heldOut",
    label: "held-out loss",
    description: "Denoising loss on the photo that was held out",
    caption: "Denoising loss on fixed draws of the photo that no step saw: training may stop when it no longer falls.",
  },
  {
    curve: "d",
    label: "d",
    description: "Prodigy's estimate of the distance to go, its learning rate",
    caption: "Prodigy's estimate of how far the weights have to go, which is its learning rate.",
  },
];

/**
 * Charts of a run's curves: those that the method describes, and those that it only names.
 * @param names of all curves that the run has
 */
export function chartsOf(
  described: readonly CurveChart[],
  names: ReadonlySet<string>,
): readonly [own: readonly CurveChart[], others: readonly CurveChart[]] {
  const known = [...described, ...COMMON];
  const own = known.filter(({ curve }) => names.has(curve));
  const others = [...names].filter((name) => !known.some(({ curve }) => curve === name));
  return [
    own,
    others.map((curve) => ({ curve, label: curve, description: inWords(curve), caption: captionOf(curve) })),
  ];
}

const CAPTIONS: Readonly<Record<string, string>> = {
  loss: "What was minimized.",
  gradNorm: "Norm of the whole gradient before it is clipped.",
};

function captionOf(curve: string): string {
  return CAPTIONS[curve] ?? `${inWords(curve)}, as the method computed it.`;
}

/** gradNorm -> Grad norm */
function inWords(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A chart for each curve, of the steps that have it. @param steps from the first */
export function curveFigures<S extends { readonly step: number }>(
  steps: readonly S[],
  charts: readonly CurveChart[],
  curveOf: CurveOf<S>,
): Html {
  return html`${charts.map(({ curve, caption, ...chart }, i) => {
    const of = curveOf(curve);
    const having = steps.filter((step) => !Number.isNaN(of(step)));
    return html`<figure>
      ${lossChart(having, { ...chart, of })}
      <figcaption>
        ${caption}
        ${i === 0 && `Every step has another timestep and noise, so the bold line averages ${averagedSteps(steps.length)} steps.`}
      </figcaption>
    </figure>`;
  })}`;
}

/** Both alignments over the validations. */
export function alignmentFigure(judged: readonly Judged[]): Html {
  return html`<figure>
    ${alignmentChart(judged)}
    <figcaption>
      <span class="key align-i">ALIGN-I</span>, likeness to the photos, and <span class="key align-t">ALIGN-T</span>,
      obedience to the prompt.
    </figcaption>
  </figure>`;
}
