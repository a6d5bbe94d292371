import type { Estimate } from "../../reward/statistics.ts";
import { html, type Html } from "../html.ts";
import { at, type Scales } from "./frame.ts";

/** "0.731 ± 0.004" */
export function plusMinus({ mean, standardError }: Estimate, digits = 3): string {
  return `${mean.toFixed(digits)} ± ${standardError.toFixed(digits)}`;
}

/** The values that an estimate's error bar reaches. */
export function reach({ mean, standardError }: Estimate): [number, number] {
  return [mean - standardError, mean + standardError];
}

/** A line through points. */
export function polyline({ x, y }: Scales, points: readonly (readonly [number, number])[], name: string): Html {
  return html`<polyline
    class="line ${name}"
    points="${points.map(([px, py]) => `${at(x.at(px))},${at(y.at(py))}`).join(" ")}"
  />`;
}

/** A dot with a vertical bar of one standard error on either side. */
export function errorDot({ x, y }: Scales, px: number, estimate: Estimate, name: string, title: string): Html {
  const [low, high] = reach(estimate);
  const cx = at(x.at(px));
  return html`<g class="mark ${name}">
    <title>${title}</title>
    <line class="error" x1="${cx}" x2="${cx}" y1="${at(y.at(low))}" y2="${at(y.at(high))}" />
    <circle cx="${cx}" cy="${at(y.at(estimate.mean))}" r="4" />
  </g>`;
}

/** A level that the chart's values are to be compared with. */
export function level({ x, y }: Scales, value: number, text: string): Html {
  const [left, right] = x.range;
  return html`<line class="level" x1="${left}" x2="${right}" y1="${at(y.at(value))}" y2="${at(y.at(value))}" />
    <text class="note" x="${right}" y="${at(y.at(value) - 5)}" text-anchor="end">${text}</text>`;
}
