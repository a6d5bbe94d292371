import { coat, cord, marked, OUTLINE_WIDTH, solid } from "../coat.ts";
import { BLACK, hsl, shade, tint, WHITE } from "../colour.ts";
import { box, d, ellipse, fill, stroke } from "../svg.ts";
import type { Draw } from "./drawing.ts";

/** A dog from the side, its large head with hanging ears turned to the viewer's right. */
export const drawDog: Draw = (instance, pose) => {
  const { primary, secondary, accent, proportions, variant, marking } = instance;
  const [legs, trunk, ears, nose] = proportions;
  const legLength = 24 + 5 * legs;
  const back = -legLength - 30;
  const rump = -36 - 5 * trunk;
  const step = 5 * pose.limbs;

  const leg = (x: number, swing: number): string =>
    d`M${x - 5.5} ${-legLength - 8}L${x + swing - 5} -6q-1 6 5 6h5q4 0 3 -6L${x + 6} ${-legLength - 8}z`;
  const farLegs = [leg(rump + 13, -step), leg(15, step)].map((data) => solid(pose, data, shade(primary, 0.72)));
  const nearLegs = [leg(rump + 6, step), leg(24, -step)].map((data) => solid(pose, data, primary));
  const socks =
    marking === 1 ? [rump + 6 + step * 0.9, 24 - step * 0.9].map((x) => fill(box(x - 5, -9, 12, 8, 4), secondary)) : [];

  const wag = 10 * pose.turn;
  const tailEnd = variant === 0 ? d`q-16 -6 ${-12 + wag * 0.3} -30` : d`q-20 2 ${-20 + wag * 0.2} -18`;
  const tail = cord(d`M${rump + 3} ${back + 10}` + tailEnd, primary, variant === 2 ? 9 : 6);

  const trunkPath = d`M${rump} ${back + 14}q2 -14 18 -14h${30 + 5 * trunk}q18 0 18 16q1 22 -14 22h${-34 - 5 * trunk}q-18 0 -18 -24z`;
  const torso = d`M${rump + 18} ${back - 1}h${26 + 5 * trunk}q19 0 19 17q1 24 -14 23h${-31 - 5 * trunk}z`;
  const neck = d`M4 ${back + 10}L18 ${back - 16}L40 ${back - 8}L33 ${back + 22}z`;
  const body =
    tail +
    farLegs.join("") +
    nearLegs.join("") +
    socks.join("") +
    coat(instance, pose, "trunk", trunkPath, [rump, back, 30, back + 40]) +
    fill(neck, primary) +
    stroke(d`M13 ${back - 2}q8 12 21 9`, shade(accent, 0.5), 8) +
    stroke(d`M13 ${back - 2}q8 12 21 9`, accent, 5.5);

  const skull = ellipse(0, 0, 24, 22);
  const [muzzleX, muzzleWidth] = [16, 15 + 3 * nose];
  const muzzle = ellipse(muzzleX, 9, muzzleWidth, 11);
  const [earLength, earWidth] = [32 + 6 * ears, 8 + (variant === 1 ? 2 : 0)];
  const ear = (x: number, lean: number): string =>
    d`M${x - 5} -20q${-earWidth + lean} 8 ${-earWidth + lean} ${earLength}q8 9 ${earWidth + 5} 0q4 ${-earLength * 0.5} 3 ${-earLength + 2}z`;
  const earColour = marking === 2 ? secondary : shade(primary, 0.62);
  const face = pose.turn * 3;
  const eyes = [-3 + face, 15 + face].map((x): [number, number] => [x, -6]);
  const patch = instance.pattern === "plain" ? "" : fill(ellipse(-2 + face, -7, 10, 11), secondary);
  const head =
    marked(pose, "skull", skull, primary, patch) +
    solid(pose, muzzle, tint(primary, 0.45)) +
    fill(ellipse(muzzleX + muzzleWidth * 0.55, 3, 6.5, 5), BLACK) +
    fill(ellipse(muzzleX + 3, 19, 4.5, 6), hsl(350, 0.75, 0.62)) +
    stroke(d`M${muzzleX - 8} 13q8 6 19 0`, BLACK, 1.8) +
    eyes.map(([x, y]) => fill(ellipse(x, y, 4.2, 4.8), BLACK) + fill(ellipse(x + 1.3, y - 1.5, 1.4), WHITE)).join("") +
    solid(pose, ear(-16, 0), earColour) +
    (pose.turn > -0.4 ? "" : solid(pose, ear(22, 10), earColour));

  const headY = back - 20;
  const angle = -6 + 8 * pose.limbs;
  return {
    body,
    left: rump - 16,
    right: 24 + 24 + muzzleWidth - 8,
    top: headY - 23 - OUTLINE_WIDTH,
    figure: {
      head: { svg: head, x: 22, y: headY, angle },
      crown: { x: 0, y: -19, width: 34 },
      eyes,
      torso,
      throat: { x: 22, y: back + 3, width: 34, angle: 14 },
    },
  };
};
