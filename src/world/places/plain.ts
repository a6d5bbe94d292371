import { Random } from "../../tensor/random.ts";
import { between, hsl, shade, tint, WHITE } from "../colour.ts";
import { box, d, ellipse, fill, gradient, stroke } from "../svg.ts";
import { many, ridge } from "./parts.ts";
import { onLand, type DrawPlace } from "./place.ts";

export type PlainKind = "studio" | "room" | "lawn";

function drawKind(rng: Random) {
  const colour = hsl(between(rng, 0, 360), between(rng, 0.04, 0.32), between(rng, 0.6, 0.92));
  const kinds = ["studio", "studio", "room", "room", "lawn"] as const;
  return { colour, kind: kinds[rng.integer(kinds.length)] };
}

/** Which of them stand behind a scene of this seed. */
export function plainKindOf(sceneSeed: number): PlainKind {
  return drawKind(new Random(sceneSeed).split("place")).kind;
}

/** What stands behind a subject when a caption names no place: a studio, a room or a lawn. */
export const drawPlain: DrawPlace = (rng, prefix) => {
  const { colour, kind } = drawKind(rng);
  if (kind === "studio") {
    return onLand(
      gradient(`${prefix}studio`, 0, 65, shade(colour, between(rng, 0.85, 1.08)), shade(colour, between(rng, 0.8, 1))),
    );
  }
  if (kind === "room") {
    const floor = between(rng, 34, 46);
    const ground = hsl(between(rng, 0, 360), between(rng, 0.03, 0.25), between(rng, 0.45, 0.85));
    const x = between(rng, 2, 44);
    const frame = rng.bernoulli(0.5)
      ? fill(box(x, 5, 17, 15), WHITE) + fill(box(x + 1.5, 6.5, 14, 12), hsl(colour.h + 150, 0.3, 0.65))
      : "";
    return onLand(
      gradient(`${prefix}wall`, 0, floor, colour, shade(colour, 0.92)) +
        frame +
        gradient(`${prefix}floor`, floor, 65 - floor, shade(ground, 0.88), ground) +
        fill(box(-1, floor - 1, 66, 1.6), tint(colour, 0.5)),
    );
  }
  const horizon = between(rng, 28, 38);
  const grass = hsl(between(rng, 80, 115), between(rng, 0.35, 0.55), between(rng, 0.42, 0.55));
  return onLand(
    gradient(`${prefix}sky`, 0, horizon, hsl(205, between(rng, 0.3, 0.6), 0.76), hsl(205, 0.4, 0.9)) +
      many(4, (i) =>
        fill(
          ellipse(i * 20 + between(rng, -3, 6), horizon, between(rng, 7, 11), between(rng, 4, 8)),
          shade(grass, 0.75),
        ),
      ) +
      fill(ridge(rng, horizon, 1) + "V65H-1z", grass) +
      stroke(
        many(9, () => d`M${between(rng, 0, 62)} ${between(rng, horizon + 4, 63)}l.8 -2.4l.8 2.4`),
        shade(grass, 0.75),
        0.8,
      ),
  );
};

/** A night sky of whirls with stars and a moon: the ground of the Van Gogh style where no place is named. */
export const drawStarryNight: DrawPlace = (rng, prefix) => {
  const horizon = between(rng, 44, 50);
  const night = hsl(between(rng, 212, 232), 0.65, between(rng, 0.3, 0.38));
  const star = (): string => {
    const [x, y, r] = [between(rng, 2, 62), between(rng, 2, 30), between(rng, 1.2, 2)];
    return fill(ellipse(x, y, r * 2.4), hsl(52, 0.8, 0.7), 0.45) + fill(ellipse(x, y, r), hsl(50, 1, 0.75));
  };
  const whirl = (): string => {
    const [x, y, r] = [between(rng, 6, 58), between(rng, 10, 36), between(rng, 5, 9)];
    return d`M${x - r} ${y}a${r} ${r * 0.8} 0 1 1 ${r} ${r * 0.8}a${r * 0.6} ${r * 0.5} 0 1 1 ${r * 0.5} ${-r * 0.6}`;
  };
  const back =
    gradient(`${prefix}night`, 0, horizon, night, hsl(200, 0.5, 0.55)) +
    stroke(whirl() + whirl() + whirl(), hsl(200, 0.55, 0.68), 2) +
    many(7, star) +
    fill(ellipse(between(rng, 6, 58), between(rng, 6, 12), 4.5), hsl(46, 1, 0.65)) +
    fill(ridge(rng, horizon, 2) + "V65H-1z", hsl(between(rng, 60, 200), 0.4, 0.3));
  return onLand(back);
};

/** Empty paper, the ground of the pencil style. */
export const drawPaper: DrawPlace = () => onLand(fill(box(-1, -1, 66, 66), hsl(45, 0.15, 0.97)), undefined, 0.2);
