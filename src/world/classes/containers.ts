import { coat, cord, OUTLINE_WIDTH, rim, solid } from "../coat.ts";
import { hsl, shade, tint } from "../colour.ts";
import { box, d, ellipse, fill, placed, polygon, stroke } from "../svg.ts";
import type { Draw } from "./drawing.ts";

const METAL = hsl(215, 0.08, 0.72);

/** A school backpack from the front: rounded top, loop, side pockets, one pocket with a zip. */
export const drawBackpack: Draw = (instance, pose) => {
  const { secondary, accent, proportions, variant, marking } = instance;
  const [wide, high, pocketHigh, sides] = proportions;
  const w = 33 + 3 * wide;
  const top = -84 - 6 * high;
  const lean = 3 * pose.turn;
  const body = d`M${-w} -8V${top + 30}Q${-w + 2} ${top} 0 ${top}Q${w - 2} ${top} ${w} ${top + 30}V-8Q${w} 0 ${w - 8} 0H${-w + 8}Q${-w} 0 ${-w} -8z`;
  const pocketTop = -38 - 6 * pocketHigh;
  const pocket = box(-w + 8 + lean, pocketTop, 2 * w - 16, -pocketTop - 5, variant === 0 ? 4 : 12);
  const side = (x: number): string =>
    solid(pose, box(x, -34 - 4 * sides, 14, 32 + 4 * sides, 6), shade(secondary, 0.85));
  const badge = {
    0: "",
    1: solid(pose, ellipse(lean, pocketTop * 0.55 + 2, 8), accent),
    2: solid(
      pose,
      polygon([
        [lean - 9, pocketTop * 0.35],
        [lean + 9, pocketTop * 0.35],
        [lean, pocketTop * 0.78],
      ]),
      accent,
    ),
  }[marking];
  return {
    body:
      cord(d`M-11 ${top + 5}q0 -14 11 -14q11 0 11 14`, shade(accent, 0.9), 5) +
      side(-w - 8) +
      side(w - 6) +
      coat(instance, pose, "bag", body, [-w, top, w, 0]) +
      stroke(d`M${-w + 6} ${top + 32}Q${lean} ${top + 20} ${w - 6} ${top + 32}`, shade(instance.primary, 0.45), 2.2) +
      solid(pose, pocket, secondary) +
      stroke(d`M${-w + 13 + lean} ${pocketTop + 8}H${w - 13 + lean}`, accent, 3) +
      fill(box(w - 18 + lean, pocketTop + 8, 4, 9, 1), accent) +
      (badge ?? ""),
    left: -w - 9,
    right: w + 9,
    top: top - 12,
  };
};

/** A teapot: round belly, spout to the right, handle to the left, lid with a knob. */
export const drawTeapot: Draw = (instance, pose) => {
  const { primary, accent, proportions, variant } = instance;
  const [round, high, spoutUp, lidHigh] = proportions;
  const w = 30 + 3 * round;
  const h = 60 + 6 * high;
  const belly = d`M${-w * 0.55} -3C${-w * 1.35} ${-h * 0.3} ${-w * 1.15} ${-h * 0.95} ${-w * 0.5} ${-h}H${w * 0.5}C${w * 1.15} ${-h * 0.95} ${w * 1.35} ${-h * 0.3} ${w * 0.55} -3z`;
  const mouth = -h * 0.86 - 5 * spoutUp;
  const spout = d`M${w * 0.8} ${-h * 0.62}Q${w + 5} ${-h * 0.6} ${w + 9} ${mouth}L${w + 21} ${mouth - 3}Q${w + 15} ${-h * 0.3} ${w * 0.7} ${-h * 0.14}z`;
  const grip =
    variant === 0
      ? d`M${-w * 0.8} ${-h * 0.82}q-24 -6 -24 16q0 22 22 22`
      : d`M${-w * 0.85} ${-h * 0.85}h-14q-8 0 -7 9l3 18q2 8 12 9`;
  const lidTop = -h - 8 - 3 * lidHigh;
  const lid = d`M${-w * 0.52} ${-h + 1}Q${-w * 0.4} ${lidTop} 0 ${lidTop}Q${w * 0.4} ${lidTop} ${w * 0.52} ${-h + 1}z`;
  return {
    body:
      cord(grip, variant === 2 ? accent : shade(primary, 0.88), 6.5) +
      solid(pose, spout, shade(primary, 0.92)) +
      solid(pose, box(-w * 0.55, -6, w * 1.1, 6, 2), accent) +
      coat(instance, pose, "belly", belly, [-w * 1.1, -h, w * 1.1, 0]) +
      fill(ellipse(0, -h, w * 0.5, 3), shade(primary, 0.3)) +
      placed(solid(pose, lid, primary) + solid(pose, ellipse(0, lidTop - 5, 6), accent), 0, 0, 3 * pose.limbs),
    left: -w - 22,
    right: w + 22,
    top: lidTop - 11 - OUTLINE_WIDTH,
  };
};

/** A vase with a narrow neck, a flaring lip, and in some a few flowers. */
export const drawVase: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, variant } = instance;
  const [bellyWide, bellyUp, neckWide, high] = proportions;
  const h = (variant === 0 ? 92 : 76) + 5 * high;
  const w = 34 + 4 * bellyWide;
  const neck = 9 + 3 * neckWide;
  const bulge = -h * (0.5 + 0.1 * bellyUp);
  const lip = neck + 8;
  const body = d`M-15 0Q${-w - 2} ${bulge * 0.45} ${-w} ${bulge}Q${-w + 3} ${bulge - h * 0.2} ${-neck} ${-h + 14}Q${-neck} ${-h + 4} ${-lip} ${-h}H${lip}Q${neck} ${-h + 4} ${neck} ${-h + 14}Q${w - 3} ${bulge - h * 0.2} ${w} ${bulge}Q${w + 2} ${bulge * 0.45} 15 0z`;
  const sway = 4 * pose.limbs;
  const flower = (x: number, y: number): string => {
    const petals = [0, 1, 2, 3, 4].map((i) => ellipse(x + 6 * Math.cos(i * 1.257), y + 6 * Math.sin(i * 1.257), 4.6));
    const stem = stroke(d`M${x * 0.2} ${-h}Q${x * 0.4} ${y + 14} ${x} ${y}`, hsl(115, 0.5, 0.33), 3);
    return stem + rim(petals.join(""), accent, 2) + fill(petals.join(""), accent) + fill(ellipse(x, y, 4), secondary);
  };
  const bunch = [[], [flower(sway, -h - 22)], [flower(-14 + sway, -h - 15), flower(14 + sway, -h - 18)]][variant];
  return {
    body:
      (bunch ?? []).join("") +
      coat(instance, pose, "vase", body, [-w, -h, w, 0]) +
      fill(ellipse(0, -h, lip, 4), shade(primary, 0.3)) +
      rim(ellipse(0, -h, lip, 4), primary, 2) +
      stroke(d`M${-neck} ${-h + 13}Q0 ${-h + 17} ${neck} ${-h + 13}`, accent, 3.5),
    left: -w - 2,
    right: w + 2,
    top: variant === 0 ? -h - 6 : -h - 34,
  };
};

/** A soft-drink can: metal rim and tab above, a label between. */
export const drawCan: Draw = (instance, pose) => {
  const { secondary, accent, proportions, marking } = instance;
  const [wide, high, labelAt] = proportions;
  const w = 27 + 2 * wide;
  const h = 88 + 6 * high;
  const turn = 8 * pose.turn;
  const label = d`M${-w} ${-h + 13}Q0 ${-h + 21} ${w} ${-h + 13}V-9Q0 -1 ${-w} -9z`;
  const middle = -h * (0.45 + 0.05 * labelAt);
  const logo = {
    0: solid(pose, ellipse(turn, middle, 13), accent) + fill(ellipse(turn, middle, 6), secondary),
    1: solid(
      pose,
      polygon([
        [turn - 11, middle],
        [turn, middle - 17],
        [turn + 11, middle],
        [turn, middle + 17],
      ]),
      accent,
    ),
    2: stroke(d`M${-w + 3} ${middle + 7}q${w * 0.5} -22 ${w - 3} -5t${w - 3} -9`, accent, 9),
  }[marking];
  return {
    body:
      solid(pose, d`M${-w + 5} -4Q0 5 ${w - 5} -4L${w} -12H${-w}z`, METAL) +
      solid(
        pose,
        d`M${-w} ${-h + 14}L${-w + 5} ${-h + 4}H${w - 5}L${w} ${-h + 14}Q0 ${-h + 24} ${-w} ${-h + 14}z`,
        METAL,
      ) +
      coat(instance, pose, "label", label, [-w, -h + 13, w, -5]) +
      (logo ?? "") +
      solid(pose, ellipse(0, -h + 4, w - 4, 6.5), tint(METAL, 0.4)) +
      fill(ellipse(2, -h + 4.5, 8, 3), shade(METAL, 0.45)) +
      cord(d`M-4 ${-h + 4}h7`, tint(METAL, 0.2), 2),
    left: -w - 1,
    right: w + 1,
    top: -h - 4,
  };
};
