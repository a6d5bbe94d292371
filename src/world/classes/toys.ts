import { coat, cord, solid } from "../coat.ts";
import { BLACK, hsl, shade, tint, WHITE } from "../colour.ts";
import { box, d, ellipse, fill, placed, stroke } from "../svg.ts";
import type { Draw } from "./drawing.ts";

/** A bathtub duck, its beak to the right. */
export const drawDuckToy: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, variant, marking } = instance;
  const [long, headSize, tailUp, beak] = proportions;
  const l = 42 + 3 * long;
  const r = 23 + 2 * headSize;
  const body = d`M${-l - 4} ${-46 - 5 * tailUp}Q${-l + 8} -40 ${-l + 16} -38Q-8 -32 2 -40H30Q${l} -34 ${l - 2} -16Q${l - 8} 0 14 0H-18Q${-l + 2} 0 ${-l - 3} -20Q${-l - 5} -34 ${-l - 4} ${-46 - 5 * tailUp}z`;
  const [headX, headY] = [16, -40 - r * 0.72];
  const flap = 3 * pose.limbs;
  const wing = d`M-2 -27Q-14 -36 -32 ${-32 - flap}Q-30 ${-12 - flap} -14 -10Q0 -10 -2 -27z`;
  const bill = hsl(18 + accent.h * 0.08, 0.95, 0.52);
  const length = 19 + 4 * beak;
  const beakPath = d`M${r * 0.7} -3Q${r + length * 0.6} -5 ${r + length} 3Q${r + length * 0.5} 13 ${r * 0.6} 9z`;
  const look = 2 * pose.turn;
  const cap = {
    0: "",
    1: cord(d`M-3 ${-r}q-3 -9 3 -10M2 ${-r}q3 -6 8 -6`, secondary, 3),
    2: solid(pose, d`M${-r * 0.85} ${-r * 0.55}Q0 ${-r * 1.75} ${r * 0.85} ${-r * 0.55}z`, secondary),
  }[marking];
  const head =
    solid(pose, beakPath, bill) +
    stroke(d`M${r * 0.75} 4L${r + length - 3} 4`, shade(bill, 0.6), 1.8) +
    coat(instance, pose, "head", ellipse(0, 0, r), [-r, -r, r, r]) +
    (cap ?? "") +
    fill(ellipse(7 + look, -5, 6), WHITE) +
    fill(ellipse(8.5 + look * 1.3, -5, 4), BLACK) +
    fill(ellipse(9.8 + look * 1.3, -6.5, 1.3), WHITE);
  const band = variant === 1 ? stroke(d`M${headX - 17} -40q17 9 34 0`, accent, 6) : "";
  return {
    body:
      coat(instance, pose, "body", body, [-l, -44, l, 0]) +
      solid(pose, wing, variant === 2 ? secondary : shade(primary, 0.86)) +
      placed(head, headX, headY, 5 * pose.turn) +
      band,
    left: -l - 5,
    right: Math.max(l, headX + r + length),
    top: headY - r - (marking === 0 ? 2 : 11),
  };
};

/** A tin robot: box head with an antenna, box body with a panel, arms and legs. */
export const drawRobotToy: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, variant, marking } = instance;
  const [wide, headWide, legsLong, high] = proportions;
  const legs = 20 + 3 * legsLong;
  const w = 25 + 3 * wide;
  const h = 38 + 3 * high;
  const shoulder = -legs - h;
  const hw = 22 + 3 * headWide;
  const headTop = shoulder - 33;
  const limb = hsl(primary.h, primary.s * 0.25, 0.55);

  const arm = (side: number, raise: number): string => {
    const [x, y] = [side * (w + 13), shoulder + 22 - raise * 20];
    return cord(d`M${side * (w - 2)} ${shoulder + 9}L${x} ${y}`, limb, 7) + solid(pose, ellipse(x, y, 7.5), accent);
  };
  const foot = (side: number): string =>
    cord(d`M${side * 12} ${-legs}V-7`, limb, 9) + solid(pose, box(side * 13 - 11, -11, 22, 11, 4), secondary);
  const look = 3 * pose.turn;
  const eye = (x: number): string =>
    variant === 1
      ? fill(box(x - 6, headTop + 8, 12, 9, 2), BLACK) + fill(box(x - 4, headTop + 10, 8, 5, 1), tint(accent, 0.5))
      : fill(ellipse(x, headTop + 13, 7.5), BLACK) + fill(ellipse(x, headTop + 13, 5), tint(accent, 0.55));
  const panel = {
    0:
      solid(pose, box(-14, shoulder + 11, 28, 17, 3), secondary) +
      [-7, 0, 7].map((x) => fill(ellipse(x, shoulder + 19.5, 2.7), accent)).join(""),
    1:
      solid(pose, ellipse(0, shoulder + h * 0.5, 11), secondary) + stroke(d`M0 ${shoulder + h * 0.5}l6 -6`, BLACK, 2.4),
    2: "",
  }[marking];
  return {
    body:
      foot(-1) +
      foot(1) +
      arm(-1, pose.limbs) +
      arm(1, -pose.limbs * 0.6 + 0.3) +
      cord(d`M0 ${headTop}v-8`, limb, 3) +
      solid(pose, ellipse(0, headTop - 11, 5), accent) +
      fill(box(-7, shoulder - 5, 14, 8), limb) +
      coat(instance, pose, "body", box(-w, shoulder, 2 * w, h, variant === 2 ? 14 : 4), [-w, shoulder, w, -legs]) +
      (panel ?? "") +
      solid(pose, box(-hw - 5, headTop + 9, 2 * hw + 10, 11, 3), accent) +
      solid(pose, box(-hw, headTop, 2 * hw, 30, variant === 2 ? 12 : 4), primary) +
      eye(-9 + look) +
      eye(9 + look) +
      stroke(d`M${-9 + look} ${headTop + 24}h18`, BLACK, 3.4),
    left: -w - 21,
    right: w + 21,
    top: headTop - 18,
  };
};
