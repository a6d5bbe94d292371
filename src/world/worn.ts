import type { Random } from "../tensor/random.ts";
import type { Figure } from "./classes/drawing.ts";
import { solid, type Pose } from "./coat.ts";
import { BLACK, hsl, namedColour, shade, tint, WHITE, type Colour } from "./colour.ts";
import type { Worn, WornItem } from "./scene.ts";
import { box, clipped, d, ellipse, fill, placed, polygon, stroke } from "./svg.ts";

/** How far a thing rises above the crown, in the subject's units. */
const HEIGHTS: Readonly<Record<WornItem, number>> = {
  hat: 17,
  "santa hat": 24,
  "top hat": 27,
  "wizard outfit": 36,
  scarf: 0,
  shirt: 0,
  glasses: 0,
  outfit: 15,
};

/** What is worn, in front of the torso (in the subject's coordinates) and on the head (in the head's). */
export interface Dress {
  readonly onTorso: string;
  readonly onHead: string;
  readonly height: number;
}

/** Draws a worn thing on a figure; `rng` varies the shade of its colour. */
export function dress(worn: Worn, figure: Figure, pose: Pose, rng: Random): Dress {
  const colour = worn.colour === null || worn.colour === "rainbow" ? WHITE : namedColour(worn.colour, rng);
  return { ...partsOf(worn, colour, figure, pose), height: HEIGHTS[worn.item] };
}

function partsOf(worn: Worn, colour: Colour, figure: Figure, pose: Pose): { onTorso: string; onHead: string } {
  switch (worn.item) {
    case "hat":
      return { onTorso: "", onHead: hat(figure, pose, colour) };
    case "santa hat":
      return { onTorso: "", onHead: santaHat(figure, pose) };
    case "top hat":
      return { onTorso: "", onHead: topHat(figure, pose) };
    case "wizard outfit":
      return { onTorso: shirt(figure, pose, colour, hsl(50, 0.95, 0.6)), onHead: wizardHat(figure, pose, colour) };
    case "scarf":
      return {
        onTorso: scarf(figure, pose, worn.colour === "rainbow" ? RAINBOW : [colour, shade(colour, 0.72)]),
        onHead: "",
      };
    case "shirt":
      return { onTorso: shirt(figure, pose, colour, tint(colour, 0.6)), onHead: "" };
    case "glasses":
      return { onTorso: "", onHead: glasses(figure, colour) };
    case "outfit":
      return { onTorso: shirt(figure, pose, colour, shade(colour, 0.55)), onHead: cap(figure, pose, colour) };
  }
}

const RAINBOW = [
  hsl(0, 0.85, 0.5),
  hsl(30, 1, 0.53),
  hsl(54, 1, 0.55),
  hsl(125, 0.65, 0.4),
  hsl(215, 0.85, 0.5),
  hsl(280, 0.65, 0.5),
];

function hat({ crown: { x, y, width } }: Figure, pose: Pose, colour: Colour): string {
  const w = width * 0.45;
  const dome = d`M${x - w} ${y}Q${x - w} ${y - 20} ${x - w * 0.35} ${y - 20}Q${x} ${y - 16} ${x + w * 0.35} ${y - 20}Q${x + w} ${y - 20} ${x + w} ${y}z`;
  const band = stroke(d`M${x - w + 1} ${y - 5}h${2 * w - 2}`, shade(colour, 0.45), 4);
  return solid(pose, dome, colour) + band + solid(pose, ellipse(x, y, w * 1.6, 4.6), colour);
}

function cap({ crown: { x, y, width } }: Figure, pose: Pose, colour: Colour): string {
  const w = width * 0.48;
  const dome = d`M${x - w} ${y + 1}Q${x - w} ${y - 17} ${x} ${y - 17}Q${x + w} ${y - 17} ${x + w} ${y + 1}z`;
  return (
    solid(pose, dome, colour) +
    solid(pose, box(x - 2, y - 3, w + 15, 6, 3), shade(colour, 0.7)) +
    fill(ellipse(x, y - 17, 2.5), shade(colour, 0.6))
  );
}

function santaHat({ crown: { x, y, width } }: Figure, pose: Pose): string {
  const w = width * 0.5;
  const cone = d`M${x - w} ${y}Q${x - w * 0.5} ${y - 26} ${x + w * 0.4} ${y - 24}Q${x + w * 1.3} ${y - 20} ${x + w * 1.45} ${y - 4}Q${x + w * 0.9} ${y - 14} ${x + w * 0.75} ${y}z`;
  const fur = hsl(40, 0.15, 0.96);
  return (
    solid(pose, cone, hsl(357, 0.85, 0.46)) +
    solid(pose, box(x - w - 3, y - 5, 2 * w + 6, 9, 4.5), fur) +
    solid(pose, ellipse(x + w * 1.45, y - 2, 5.5), fur)
  );
}

function topHat({ crown: { x, y, width } }: Figure, pose: Pose): string {
  const w = width * 0.42;
  const felt = hsl(230, 0.08, 0.12);
  return (
    solid(pose, d`M${x - w} ${y}L${x - w - 2} ${y - 28}Q${x} ${y - 31} ${x + w + 2} ${y - 28}L${x + w} ${y}z`, felt) +
    stroke(d`M${x - w + 1} ${y - 6}h${2 * w - 2}`, hsl(350, 0.6, 0.45), 4) +
    solid(pose, ellipse(x, y, w * 1.65, 4.2), felt)
  );
}

function wizardHat({ crown: { x, y, width } }: Figure, pose: Pose, colour: Colour): string {
  const w = width * 0.45;
  const star = (u: number, v: number, r: number): string =>
    fill(
      polygon([0, 1, 2, 3, 4].map((i): [number, number] => [u + r * Math.sin(i * 2.513), v - r * Math.cos(i * 2.513)])),
      hsl(50, 1, 0.62),
    );
  const cone = d`M${x - w} ${y}Q${x - 5} ${y - 16} ${x - 2} ${y - 36}Q${x + 6} ${y - 16} ${x + w} ${y}z`;
  return (
    solid(pose, cone, colour) +
    star(x - 4, y - 8, 5.5) +
    star(x + 4, y - 17, 4) +
    solid(pose, ellipse(x, y, w * 1.6, 4.4), colour)
  );
}

function glasses({ eyes }: Figure, colour: Colour): string {
  const [[x0, y0], [x1, y1]] = [eyes[0] ?? [0, 0], eyes[1] ?? [0, 0]];
  const lenses = ellipse(x0, y0, 8.4, 8) + ellipse(x1, y1, 8.4, 8);
  return (
    fill(lenses, tint(colour, 0.5), 0.35) +
    stroke(lenses + d`M${x0 - 8} ${y0}l-9 -2M${x1 + 8} ${y1}l7 -2`, shade(colour, 0.92), 3.8)
  );
}

function shirt({ torso }: Figure, pose: Pose, colour: Colour, trim: Colour): string {
  return solid(pose, torso, colour) + clipped(`${pose.prefix}torso`, torso, stroke(torso, trim, 5));
}

function scarf({ throat: { x, y, width, angle } }: Figure, pose: Pose, colours: readonly Colour[]): string {
  const w = width * 0.56;
  const bands = (vertical: boolean, reach: number): string =>
    colours
      .map((colour, i) => {
        const at = reach * (-1 + (2 * i) / colours.length);
        const size = (2 * reach) / colours.length + 0.4;
        return fill(vertical ? box(at, -20, size, 70) : box(-40, at + reach + 2, 80, size), colour);
      })
      .join("");
  const ring = box(-w, -5.5, 2 * w, 12, 6);
  const tail = d`M${w * 0.15} 2L${w * 0.62} 2L${w * 0.72} 30L${w * 0.1} 30z`;
  const edge = shade(colours[0] ?? BLACK, 0.45);
  const wrap = (name: string, data: string, vertical: boolean, reach: number): string =>
    clipped(`${pose.prefix}${name}`, data, bands(vertical, reach)) + stroke(data, edge, 2);
  return placed(wrap("tail", tail, false, 15) + wrap("ring", ring, true, w), x, y, angle);
}
