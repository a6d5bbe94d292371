import type { Html } from "../html.ts";
import { around, frame, stepAxis } from "./frame.ts";
import { level, polyline } from "./marks.ts";

/** The most points a line has; of longer runs every n-th step is drawn, and every step counts in the average. */
const MOST_POINTS = 600;

/** @typeParam S what is known of a step */
export interface LossChart<S> {
  /** Without a full stop. */
  readonly description: string;
  readonly label: string;
  readonly of: (step: S) => number;
  /** A level to compare with. */
  readonly against?: { readonly value: number; readonly text: string };
}

/** A quantity of every step, thin, with its moving average. A step has one pair, one timestep and one noise: single values scatter widely. */
export function lossChart<S extends { readonly step: number }>(
  steps: readonly S[],
  { description, label, of, against }: LossChart<S>,
): Html {
  const values = steps.map(of);
  const average = movingAverage(values, averagedSteps(values.length));
  const stride = Math.ceil(values.length / MOST_POINTS);
  const points = (series: readonly number[]) =>
    series.flatMap((value, i): [number, number][] =>
      i % stride === 0 && Number.isFinite(value) ? [[steps[i].step, value]] : [],
    );
  return frame(
    {
      description: `${description}, step by step.`,
      x: stepAxis(steps),
      y: { label, domain: around([...values, ...(against === undefined ? [] : [against.value])]) },
    },
    (scales) => [
      polyline(scales, points(values), "raw"),
      against && level(scales, against.value, against.text),
      polyline(scales, points(average), "average"),
    ],
  );
}

/** How many steps the moving average takes together in a run of `n` steps. */
export function averagedSteps(n: number): number {
  return Math.max(1, Math.round(n / 12));
}

/** The mean of up to `window` values around each. */
export function movingAverage(values: readonly number[], window: number): number[] {
  const before = Math.floor((window - 1) / 2);
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, i) => (sums[i + 1] = sums[i] + value));
  return values.map((_, i) => {
    const from = Math.max(0, i - before);
    const to = Math.min(values.length, i - before + window);
    return (sums[to] - sums[from]) / (to - from);
  });
}
