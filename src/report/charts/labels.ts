import { html, type Html } from "../html.ts";
import { at } from "./frame.ts";

/** A point of a chart, in the chart's coordinates, with the word that belongs beside it. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** A word's place: where its baseline begins, or ends. */
export interface Label extends Labelled {
  readonly anchor: "start" | "end";
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Of the style's small words: about the mean width of a letter, and how far they reach above and below the baseline. */
const FONT = { width: 6.2, ascent: 9, descent: 3 };
/** Around a dot that a word keeps clear of. */
const RADIUS = 4;
/** Places beside a dot, the nearest first: to the right and to the left, above, level and below, and further away. */
const RISES = [-6, 14, 4, -18, 26, -30, 38];

/**
 * Places words beside their points so that none covers another, a dot, or the chart's edge, as far as there is room: each takes the first
 * free place, those furthest right first, as they have the fewest.
 * @param range the chart's left and right edge
 */
export function placeLabels(points: readonly Labelled[], range: readonly [number, number]): Label[] {
  const taken: Box[] = points.map(({ x, y }) => ({
    left: x - RADIUS,
    right: x + RADIUS,
    top: y - RADIUS,
    bottom: y + RADIUS,
  }));
  const order = [...points.keys()].sort((a, b) => points[b].x - points[a].x);
  const placed = new Map<number, Label>();
  for (const i of order) {
    const places = placesBeside(points[i], range);
    const free = places.find((place) => !taken.some((box) => overlap(boxOf(place), box))) ?? places[0];
    taken.push(boxOf(free));
    placed.set(i, free);
  }
  return [...placed].sort(([a], [b]) => a - b).map(([, label]) => label);
}

/** A word as text of the chart. */
export function labelText({ x, y, text, anchor }: Label): Html {
  return html`<text class="note" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${text}</text>`;
}

/** Those within the chart, or the side with more room where neither is. */
function placesBeside({ x, y, text }: Labelled, [left, right]: readonly [number, number]): Label[] {
  const all = RISES.flatMap((rise): Label[] => [
    { text, x: x + 8, y: y + rise, anchor: "start" },
    { text, x: x - 8, y: y + rise, anchor: "end" },
  ]);
  const inside = all.filter((place) => boxOf(place).left >= left && boxOf(place).right <= right);
  const roomier = x > (left + right) / 2 ? "end" : "start";
  return inside.length > 0 ? inside : all.filter(({ anchor }) => anchor === roomier);
}

function boxOf({ x, y, text, anchor }: Label): Box {
  const width = text.length * FONT.width;
  const left = anchor === "start" ? x : x - width;
  return { left, right: left + width, top: y - FONT.ascent, bottom: y + FONT.descent };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
