import { between, hsl, shade, tint, WHITE } from "../colour.ts";
import { box, d, ellipse, fill, gradient, stroke } from "../svg.ts";
import { many } from "./parts.ts";
import { onLand, type DrawPlace } from "./place.ts";

/** A skyline with lit windows behind a street. */
export const drawCity: DrawPlace = (rng, prefix) => {
  const street = between(rng, 44, 49);
  const dusk = rng.bernoulli(0.5);
  const hue = between(rng, 205, 260);
  const sky = dusk
    ? [hsl(hue, 0.4, 0.3), hsl(between(rng, 15, 40), 0.7, 0.7)]
    : [hsl(208, 0.6, 0.68), hsl(205, 0.5, 0.88)];
  const lamp = dusk ? hsl(48, 0.95, 0.68) : hsl(200, 0.45, 0.86);
  const tower = (left: number, width: number, height: number, lightness: number): string => {
    const top = street - height;
    const wall = hsl(hue + between(rng, -25, 25), between(rng, 0.08, 0.25), lightness);
    const columns = Math.floor((width - 1.5) / 3.2);
    const panes = many(columns, (i) =>
      many(Math.floor((height - 4) / 4.6), (j) =>
        rng.bernoulli(0.75) ? box(left + 1.6 + i * 3.2, top + 2.4 + j * 4.6, 1.7, 2.6) : "",
      ),
    );
    const roof = rng.bernoulli(0.3) ? stroke(d`M${left + width / 2} ${top}v-5`, wall, 1.1) : "";
    return roof + fill(box(left, top, width, height), wall) + fill(panes, lamp);
  };
  const dark = dusk ? 0.2 : 0.42;
  const far = many(6, (i) =>
    fill(box(i * 11.5 - 3, street - between(rng, 22, 38), 10, 40), hsl(hue, 0.15, dark + 0.22)),
  );
  const near = many(5, (i) =>
    tower(i * 13.4 + between(rng, -3, 0), between(rng, 9.5, 13), between(rng, 18, 43), dark + between(rng, -0.04, 0.1)),
  );
  const back =
    gradient(`${prefix}sky`, 0, street, ...sky) +
    far +
    near +
    fill(box(-1, street, 66, 21), hsl(hue, 0.06, dusk ? 0.3 : 0.45)) +
    fill(box(-1, street, 66, 2.5), hsl(hue, 0.05, 0.68)) +
    fill(
      many(4, (i) => box(i * 19 + between(rng, -2, 2), 59, 9, 1.6)),
      hsl(50, 0.3, 0.88),
    );
  return onLand(back, undefined, 0.35);
};

/** Cloth all over, with soft folds. */
export const drawPinkFabric: DrawPlace = (rng, prefix) => {
  const cloth = hsl(between(rng, 328, 346), between(rng, 0.62, 0.85), between(rng, 0.72, 0.79));
  const lean = between(rng, -14, 14);
  const folds = many(6, (i) => {
    const x = i * 12 + between(rng, -3, 5);
    const curve = (offset: number): string =>
      d`M${x + offset} -2Q${x + lean + between(rng, -7, 7) + offset} 24 ${x + lean * 0.4 + offset} 66`;
    return (
      stroke(curve(0), shade(cloth, 0.86), between(rng, 2, 4), 0.85) + stroke(curve(2.6), tint(cloth, 0.45), 1.6, 0.85)
    );
  });
  const crease = stroke(
    d`M-2 ${between(rng, 38, 50)}Q${between(rng, 10, 50)} ${between(rng, 46, 60)} 66 ${between(rng, 38, 50)}`,
    shade(cloth, 0.82),
    2.2,
    0.8,
  );
  return onLand(
    gradient(`${prefix}cloth`, 0, 64, tint(cloth, 0.12), shade(cloth, 0.96)) + folds + crease,
    undefined,
    0.25,
  );
};

/** Planks that run away from the viewer, up to a plain wall. */
export const drawWoodenFloor: DrawPlace = (rng, prefix) => {
  const wall = between(rng, 16, 26);
  const wood = hsl(between(rng, 22, 34), between(rng, 0.42, 0.6), between(rng, 0.4, 0.52));
  const paint = hsl(between(rng, 0, 360), between(rng, 0.05, 0.25), between(rng, 0.78, 0.92));
  const vanish = between(rng, 16, 48);
  const edge = (i: number, y: number): number => vanish + (i - 4.5) * 13 * (0.42 + (0.95 * (y - wall)) / (64 - wall));
  const planks = many(10, (i) => {
    const tone = shade(wood, between(rng, 0.84, 1.14));
    const [a, b, c, e] = [edge(i, wall), edge(i + 1, wall), edge(i + 1, 65), edge(i, 65)];
    const cut = between(rng, wall + 6, 62);
    return (
      fill(d`M${a} ${wall}L${b} ${wall}L${c} 65L${e} 65z`, tone) +
      stroke(d`M${edge(i, cut)} ${cut}L${edge(i + 1, cut)} ${cut}`, shade(wood, 0.6), 0.8) +
      stroke(d`M${a} ${wall}L${e} 65`, shade(wood, 0.6), 0.9)
    );
  });
  const back =
    gradient(`${prefix}wall`, 0, wall, paint, shade(paint, 0.94)) +
    fill(box(-1, wall, 66, 50), wood) +
    planks +
    fill(box(-1, wall - 2, 66, 2.6), tint(paint, 0.6));
  return onLand(back, undefined, 0.35);
};

/** Bright tiles and a rail at the edge, clear water with nets of light, a rope of floats. */
export const drawPool: DrawPlace = (rng, prefix) => {
  const edge = between(rng, 13, 20);
  const water = hsl(between(rng, 184, 194), between(rng, 0.7, 0.85), between(rng, 0.55, 0.64));
  const tiles = hsl(between(rng, 20, 60), 0.15, 0.9);
  const net = (from: number, to: number, count: number): string =>
    many(count, () => {
      const [x, y] = [between(rng, -4, 58), between(rng, from, to)];
      return d`M${x} ${y}q3 ${between(rng, -3, -1)} 6 0t6 0`;
    });
  const side = rng.bernoulli(0.5) ? between(rng, 3, 12) : between(rng, 44, 53);
  const rail = stroke(
    d`M${side} ${edge + 9}V${edge - 5}q0 -4 3 -4M${side + 7} ${edge + 9}V${edge - 5}q0 -4 3 -4M${side} ${edge + 3}h7M${side} ${edge + 7}h7`,
    hsl(210, 0.08, 0.6),
    1.5,
  );
  const ropeY = edge + between(rng, 7, 13);
  const rope = many(17, (i) =>
    fill(ellipse(i * 4, ropeY + Math.sin(i), 1.9, 1.4), i % 2 === 0 ? hsl(2, 0.85, 0.52) : WHITE),
  );
  const back =
    fill(box(-1, -1, 66, 30), tiles) +
    stroke(
      many(6, (i) => d`M${i * 13 + between(rng, -2, 2)} 0v${edge}`) + d`M0 ${edge * 0.45}h64`,
      shade(tiles, 0.84),
      0.8,
    ) +
    gradient(`${prefix}water`, edge, 65 - edge, tint(water, 0.2), water) +
    fill(box(-1, edge, 66, 2.6), hsl(205, 0.65, 0.4)) +
    stroke(net(edge + 4, 62, 15), tint(water, 0.65), 1.1) +
    rope +
    rail;
  const near = net(0, 1, 5);
  return {
    back,
    front: ({ x, y, width }) => {
      const half = width / 2 + 5;
      const surface = d`M-1 ${y}H${x - half}q${half * 0.5} -2.5 ${half} 0t${half} 0H65V66H-1z`;
      return (
        fill(surface, water, 0.72) +
        stroke(
          d`M${x - half} ${y}q${half * 0.5} -2.5 ${half} 0t${half} 0M${x - half + 4} ${y + 3.5}q${half * 0.4} 2 ${half - 4} 0t${half - 4} 0`,
          tint(water, 0.75),
          1.1,
        ) +
        `<g transform="translate(0 ${Math.round(y + 7)})">${stroke(near, tint(water, 0.6), 1)}</g>`
      );
    },
    ground: [49, 56],
    immersion: 0.22,
    shadow: 0,
  };
};
