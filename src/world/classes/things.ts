import { coat, cord, rim, solid } from "../coat.ts";
import { BLACK, hsl, outlineOf, shade, tint, WHITE } from "../colour.ts";
import { box, d, ellipse, fill, stroke } from "../svg.ts";
import type { Draw } from "./drawing.ts";

/** A laced boot from the side, its toe to the right. */
export const drawBoot: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, variant } = instance;
  const [high, toe, shaft, heel] = proportions;
  const h = 84 + 7 * high;
  const tip = 42 + 4 * toe;
  const w = 19 + 2 * shaft;
  const leather = d`M-36 -8V-30Q-34 -40 -34 ${-h + 6}H${-34 + 2 * w}V-42Q${-32 + 2 * w} -32 ${tip - 16} -31Q${tip} -28 ${tip} -8z`;
  const sole = d`M-37 -10H${tip + 2}V-5Q${tip + 2} 0 ${tip - 3} 0H${-6 - 3 * heel}L-9 -4H-15L-18 0H-37z`;
  const cuff = box(-37, -h - 2, 2 * w + 6, variant === 0 ? 16 : 9, variant === 0 ? 7 : 2);
  const laces = [0, 1, 2].map((i) => {
    const y = -h * 0.42 - 11 * i + 3 * pose.limbs;
    return cord(d`M${-37 + 2 * w} ${y}l-15 -5`, accent, 4);
  });
  const toeCap = d`M${tip - 21} -9Q${tip - 22} -26 ${tip - 12} -29Q${tip - 1} -26 ${tip - 1} -9z`;
  return {
    body:
      coat(instance, pose, "leather", leather, [-36, -h, tip, -8]) +
      (variant === 2 ? solid(pose, toeCap, secondary) : "") +
      laces.join("") +
      solid(pose, sole, variant === 1 ? tint(secondary, 0.5) : shade(primary, 0.4)) +
      solid(pose, cuff, secondary),
    left: -38,
    right: tip + 3,
    top: -h - 4,
  };
};

/** An alarm clock: a round case with two bells, a hammer and feet. */
export const drawClock: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, marking } = instance;
  const [size, face, bell] = proportions;
  const r = 38 + 2 * size;
  const y = -r - 6;
  const inner = r * (0.64 + 0.04 * face);
  const bells = [-1, 1].map(
    (side) =>
      cord(d`M${side * r * 0.5} ${y - r * 0.75}l${side * 4} -8`, shade(accent, 0.6), 3) +
      solid(
        pose,
        d`M${side * 6} ${y - r - 2}Q${side * 12} ${y - r - 22 - 3 * bell} ${side * 30} ${y - r - 10}Q${side * 36} ${y - r + 2} ${side * 33} ${y - r + 9}z`,
        accent,
      ),
  );
  const feet = [-1, 1].map((side) => cord(d`M${side * r * 0.6} -12l${side * 7} 9`, shade(accent, 0.7), 6));
  const ticks = [0, 1, 2, 3].map((i) => {
    const [u, v] = [Math.cos((i * Math.PI) / 2), Math.sin((i * Math.PI) / 2)];
    return d`M${inner * 0.72 * u} ${y + inner * 0.72 * v}L${inner * 0.86 * u} ${y + inner * 0.86 * v}`;
  });
  // the hands show another time in every picture
  const hand = (length: number, angle: number): string =>
    d`M0 ${y}L${length * Math.sin(angle)} ${y - length * Math.cos(angle)}`;
  const dial = { 0: WHITE, 1: tint(secondary, 0.8), 2: hsl(48, 0.6, 0.86) }[marking] ?? WHITE;
  const ink = shade(hsl(secondary.h, 0.5, 0.25), 1);
  return {
    body:
      feet.join("") +
      cord(d`M0 ${y - r}v-10`, shade(accent, 0.6), 4) +
      bells.join("") +
      coat(instance, pose, "case", ellipse(0, y, r), [-r, y - r, r, y + r]) +
      fill(ellipse(0, y, inner), dial) +
      rim(ellipse(0, y, inner), primary, 3) +
      stroke(ticks.join(""), ink, 4) +
      stroke(hand(inner * 0.5, 3 * pose.turn), BLACK, 4.5) +
      stroke(hand(inner * 0.75, Math.PI * pose.limbs), BLACK, 3) +
      fill(ellipse(0, y, 3.5), accent),
    left: -r - 3,
    right: r + 3,
    top: y - r - 18,
  };
};

/** A lit pillar candle on a plate, with wax running down. */
export const drawCandle: Draw = (instance, pose) => {
  const { primary, accent, proportions, variant } = instance;
  const [high, wide, drip, plate] = proportions;
  const h = 62 + 6 * high;
  const w = 24 + 3 * wide;
  const pillar = d`M${-w} -7V${-h}Q0 ${-h + 6} ${w} ${-h}V-7Q0 -1 ${-w} -7z`;
  const run = 16 + 5 * drip;
  const wax = d`M${-w} ${-h}Q0 ${-h - 7} ${w} ${-h}V${-h + run}q-4 7 -8 0V${-h + 8}h-5V${-h + run * 0.6}q-4 6 -7 0V${-h + 7}H${-w + 9}V${-h + run * 1.3}q-4 7 -9 0z`;
  const sway = 5 * pose.limbs;
  const flame = d`M-8 ${-h - 13}Q-10 ${-h - 22} ${sway} ${-h - 37}Q11 ${-h - 22} 8 ${-h - 13}Q0 ${-h - 5} -8 ${-h - 13}z`;
  const core = d`M-4 ${-h - 12}Q-4 ${-h - 18} ${sway * 0.5} ${-h - 25}Q5 ${-h - 18} 4 ${-h - 12}Q0 ${-h - 8} -4 ${-h - 12}z`;
  const base = w + 11 + 3 * plate;
  const saucer =
    variant === 0
      ? d`M${-base} -9Q0 4 ${base} -9Q${base - 6} 0 ${base - 12} 0H${-base + 12}Q${-base + 6} 0 ${-base} -9z`
      : box(-w - 7, -10, 2 * w + 14, 10, 3);
  return {
    body:
      (variant === 2 ? cord(d`M${w + 3} -7q18 3 17 -10q-2 -12 -18 -8`, accent, 5) : "") +
      coat(instance, pose, "wax", pillar, [-w, -h, w, 0]) +
      solid(pose, wax, tint(primary, 0.3)) +
      solid(pose, saucer, accent) +
      stroke(d`M0 ${-h - 3}V${-h - 11}`, BLACK, 3) +
      fill(flame, hsl(28, 1, 0.54)) +
      stroke(flame, hsl(18, 0.95, 0.47), 2) +
      fill(core, hsl(52, 1, 0.7)),
    left: -base,
    right: variant === 2 ? w + 24 : base,
    top: -h - 39,
  };
};

/** A toy car from the side, driving to the right. */
export const drawToyCar: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, variant, marking } = instance;
  const [long, cabinHigh, wheel, hood] = proportions;
  const l = 47 + 3 * long;
  const roof = -58 - 5 * cabinHigh;
  const r = 13 + 1.5 * wheel;
  const nose = l - 22 - 4 * hood;
  const shell = {
    0: d`M${-l} -14V-34Q${-l + 2} -40 ${-l + 12} -40L${-l + 20} ${roof + 5}Q${-l + 22} ${roof} ${-l + 28} ${roof}H6Q13 ${roof} 16 ${roof + 5}L${nose} -38Q${l} -36 ${l} -26V-14Q${l} -10 ${l - 5} -10H${-l + 5}Q${-l} -10 ${-l} -14z`,
    1: d`M${-l} -14V${roof + 8}Q${-l} ${roof} ${-l + 8} ${roof}H14Q20 ${roof} 22 ${roof + 6}L${nose} -38Q${l} -36 ${l} -26V-14Q${l} -10 ${l - 5} -10H${-l + 5}Q${-l} -10 ${-l} -14z`,
    2: d`M${-l} -14Q${-l} -40 ${-l + 14} -38Q-22 ${roof - 2} -4 ${roof}Q14 ${roof} ${nose} -36Q${l} -36 ${l} -22V-14Q${l} -10 ${l - 5} -10H${-l + 5}Q${-l} -10 ${-l} -14z`,
  }[variant];
  const glass = hsl(200, 0.5, 0.84);
  const rear = variant === 1 ? -l + 8 : -l + 25;
  const windows = [
    d`M${rear} -40L${variant === 1 ? rear : rear + 5} ${roof + 8}H-13V-40z`,
    d`M-7 -40V${roof + 8}H8L${nose - 9} -40z`,
  ];
  const wheels = [-l + 23, l - 23].map((x) => {
    const [u, v] = [r * 0.5 * Math.cos(2 * pose.limbs), r * 0.5 * Math.sin(2 * pose.limbs)];
    const spokes = stroke(
      d`M${x - u} ${-r - v}L${x + u} ${-r + v}M${x + v} ${-r - u}L${x - v} ${-r + u}`,
      outlineOf(accent),
      2,
    );
    return fill(ellipse(x, -r, r), hsl(220, 0.08, 0.16)) + fill(ellipse(x, -r, r * 0.58), accent) + spokes;
  });
  const mark = {
    0: solid(pose, ellipse(-10, -25, 9), WHITE) + stroke(d`M-10 -29v8`, BLACK, 3),
    1: fill(box(-l + 1, -27, 2 * l - 2, 7), secondary),
    2: "",
  }[marking];
  return {
    body:
      coat(instance, pose, "shell", shell ?? "", [-l, roof, l, -10]) +
      (mark ?? "") +
      windows.map((data) => fill(data, glass) + rim(data, primary, 2)).join("") +
      fill(ellipse(l - 4, -28, 4, 5), hsl(52, 1, 0.72)) +
      fill(box(-l - 1, -31, 4, 8, 1), hsl(0, 0.85, 0.45)) +
      wheels.join(""),
    left: -l - 2,
    right: l + 2,
    top: roof - 2,
  };
};
