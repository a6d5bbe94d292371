import { coat, cord, marked, OUTLINE_WIDTH, solid } from "../coat.ts";
import { BLACK, hsl, shade, tint, WHITE } from "../colour.ts";
import { d, ellipse, fill, polygon, stroke } from "../svg.ts";
import type { Draw } from "./drawing.ts";

/** A sitting cat from the front: pointed ears, whiskers, a long tail beside it. */
export const drawCat: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, variant, marking } = instance;
  const [belly, height, ears, tailWidth] = proportions;
  const shoulders = -50 - 5 * height;
  const hips = 25 + 4 * belly;

  const swing = 5 * pose.limbs;
  const tailPath = d`M${hips - 8} -7q24 4 26 -16q1 -18 -5 ${-26 + swing}q-3 -10 5 -13`;
  const tail =
    cord(tailPath, primary, 9 + 1.5 * tailWidth) +
    (marking === 2 ? cord(d`M${hips + 13} ${-50 + swing}q-3 -9 5 -12`, secondary, 9 + 1.5 * tailWidth) : "");

  const trunk = d`M-15 ${shoulders}C-19 -32 ${-hips - 2} -26 ${-hips} -9Q${-hips} 0 -14 0H14Q${hips} 0 ${hips} -9C${hips + 2} -26 19 -32 15 ${shoulders}z`;
  const torso = d`M-17 ${shoulders - 2}C-20 -34 ${-hips - 2} -26 ${-hips - 1} -13Q0 -4 ${hips + 1} -13C${hips + 2} -26 20 -34 17 ${shoulders - 2}z`;
  const bib = d`M-9 ${shoulders}Q0 ${shoulders - 6} 9 ${shoulders}Q11 -26 0 -18Q-11 -26 -9 ${shoulders}z`;
  const pawColour = marking === 1 ? tint(secondary, 0.4) : tint(primary, 0.25);
  const paws = [-9, 9].map((x) => solid(pose, ellipse(x, -5, 8.5, 5.5), pawColour));
  const legs = stroke(d`M-2 -8V-28M2 -8V-28M-17 -10q1 -9 2 -14M17 -10q-1 -9 -2 -14`, shade(primary, 0.55), 1.8, 0.8);
  const body =
    tail +
    coat(instance, pose, "trunk", trunk, [-hips, shoulders, hips, 0]) +
    (marking === 1 ? fill(bib, tint(secondary, 0.4)) : "") +
    legs +
    paws.join("") +
    stroke(d`M-14 ${shoulders + 5}Q0 ${shoulders + 14} 14 ${shoulders + 5}`, accent, 5);

  const look = 3.5 * pose.turn;
  const tip = 27 + 4 * ears;
  const ear = (side: number, inner: number): string =>
    polygon([
      [side * (26 - inner), -10 - inner * 0.4],
      [side * (23 - inner * 0.2), -tip - 8 + inner * 2],
      [side * (5 + inner * 0.8), -19 - inner * 0.2],
    ]);
  const skull = ellipse(0, 0, 28, 22.5);
  const stripes = stroke(
    d`M${look} -21v8M${look - 7} -19l1 6M${look + 7} -19l-1 6M-27 2l8 1M27 2l-8 1`,
    secondary,
    3.4,
  );
  const half = fill(d`M${look - 4} -30H40V0H${look + 3}z`, secondary);
  const mask = variant === 0 ? stripes : variant === 1 && instance.pattern !== "plain" ? half : "";
  const eyeColour = hsl(accent.h, 0.75, 0.62);
  const eyes = [-10.5 + look, 10.5 + look].map((x): [number, number] => [x, -2]);
  const head =
    [-1, 1].map((side) => solid(pose, ear(side, 0), primary) + fill(ear(side, 5), hsl(345, 0.5, 0.75))).join("") +
    marked(pose, "skull", skull, primary, mask) +
    fill(ellipse(look * 1.2, 10, 11, 7.5), tint(primary, 0.55)) +
    eyes
      .map(
        ([x, y]) =>
          fill(ellipse(x, y, 6.4, 6.6), BLACK) +
          fill(ellipse(x, y, 5), eyeColour) +
          fill(ellipse(x, y, 2, 4.6), BLACK) +
          fill(ellipse(x + 1.6, y - 2, 1.2), WHITE),
      )
      .join("") +
    fill(d`M${look * 1.2 - 3.5} 5h7l-3.5 4.5z`, hsl(345, 0.65, 0.55)) +
    stroke(d`M${look * 1.2} 9v2.5q-4 4 -7 1M${look * 1.2} 11.5q4 4 7 1`, BLACK, 1.4) +
    stroke(d`M-14 9l-20 -3M-14 12l-19 4M14 9l20 -3M14 12l19 4`, tint(primary, 0.75), 1.3);

  const headY = shoulders - 14;
  const angle = 6 * pose.limbs;
  return {
    body,
    left: -34,
    right: hips + 24,
    top: headY - tip - 8 - OUTLINE_WIDTH,
    figure: {
      head: { svg: head, x: 0, y: headY, angle },
      crown: { x: 0, y: -17, width: 36 },
      eyes,
      torso,
      throat: { x: 0, y: shoulders + 6, width: 38, angle: 0 },
    },
  };
};
