import { html, type Content, type Html } from "../html.ts";
import { linear, type Domain, type Scale } from "./scale.ts";

/** The coordinates of every chart: wide enough for a column, small enough that a phone shows its words in a readable size. */
const WIDTH = 460;
const HEIGHT = 280;
const MARGIN = { top: 16, right: 18, bottom: 42, left: 60 };

/** Where the values are drawn, in a chart's coordinates, for what is laid over it. */
export const PLOT = {
  width: WIDTH,
  left: MARGIN.left,
  right: WIDTH - MARGIN.right,
  top: MARGIN.top,
  bottom: HEIGHT - MARGIN.bottom,
};

export interface FrameOptions {
  /** What the chart says, for those who do not see it. */
  readonly description: string;
  /** `exact`: the axis ends where its values do. `isSteps`: it is that of a run's steps. */
  readonly x: { readonly label: string; readonly domain: Domain; readonly exact?: boolean; readonly isSteps?: boolean };
  readonly y: { readonly label: string; readonly domain: Domain };
}

/** The scales of a chart, from values to its coordinates. */
export interface Scales {
  readonly x: Scale;
  readonly y: Scale;
}

/** An SVG chart with its axes, and `marks` between them. */
export function frame({ description, x, y }: FrameOptions, marks: (scales: Scales) => Content): Html {
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const scales = {
    x: linear(x.domain, [MARGIN.left, right], { ticks: 6, exact: x.exact }),
    y: linear(y.domain, [bottom, MARGIN.top], { ticks: 5 }),
  };
  return html`<svg
    class="chart"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    role="img"
    aria-label="${description}"
    ${x.isSteps === true && html` data-steps="${scales.x.domain[0]} ${scales.x.domain[1]}"`}
  >
    ${scales.y.ticks.map(
      (tick) =>
        html`<line
            class="rule"
            x1="${MARGIN.left}"
            x2="${right}"
            y1="${at(scales.y.at(tick))}"
            y2="${at(scales.y.at(tick))}"
          />
          <text class="tick" x="${MARGIN.left - 7}" y="${at(scales.y.at(tick) + 4)}" text-anchor="end"
            >${scales.y.format(tick)}</text
          >`,
    )}
    ${scales.x.ticks.map(
      (tick) =>
        html`<line
            class="axis"
            x1="${at(scales.x.at(tick))}"
            x2="${at(scales.x.at(tick))}"
            y1="${bottom}"
            y2="${bottom + 4}"
          />
          <text class="tick" x="${at(scales.x.at(tick))}" y="${bottom + 18}" text-anchor="middle"
            >${scales.x.format(tick)}</text
          >`,
    )}
    <line class="axis" x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}" />
    <text class="label" x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 5}" text-anchor="middle">${x.label}</text>
    <text class="label" transform="rotate(-90)" x="${-(MARGIN.top + bottom) / 2}" y="13" text-anchor="middle">
      ${y.label}
    </text>
    ${marks(scales)}
  </svg>`;
}

/** The axis of a run's steps, from the start to the last of `list`. */
export function stepAxis(list: readonly { readonly step: number }[]): FrameOptions["x"] {
  return { label: "step", domain: [0, Math.max(1, list.at(-1)?.step ?? 1)], exact: true, isSteps: true };
}

/** A coordinate with as many digits as can be seen. */
export function at(value: number): string {
  return value.toFixed(1);
}

/** Values nearer to each other than this, absolutely or in parts of the largest, are drawn as one: an axis has no digits to tell them apart. */
const NEAR = 1e-9;

/** The interval that holds all values, with a little room; never empty. */
export function around(values: readonly number[], room = 0.06): Domain {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  // not Math.min(...): a run may have a million steps
  const [low, high] = finite.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const spans = [high - low, largest * 0.02];
  const margin = (spans.find((span) => span > NEAR * Math.max(1, largest)) ?? Math.max(1, largest)) * room;
  return [low - margin, high + margin];
}
