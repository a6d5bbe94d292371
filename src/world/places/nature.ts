import { between, hsl, shade, tint, WHITE } from "../colour.ts";
import { box, d, ellipse, fill, gradient, polygon, stroke } from "../svg.ts";
import { onLand, type DrawPlace } from "./place.ts";
import { cloud, many, ridge } from "./parts.ts";

/** Layers of large leaves, palm fronds and hanging vines. */
export const drawJungle: DrawPlace = (rng, prefix) => {
  const hue = between(rng, 105, 150);
  // all leaves of a tuft in one path: this is the fullest of all places
  const tuft = (x: number, y: number, length: number, lightness: number): string => {
    const colour = hsl(hue + between(rng, -15, 12), between(rng, 0.45, 0.7), lightness);
    let [blades, ribs] = ["", ""];
    for (let i = 0; i < 5; i++) {
      const angle = ((-165 + i * 37 + between(rng, -10, 10)) * Math.PI) / 180;
      const reach = length * between(rng, 0.8, 1.1);
      const [u, v] = [reach * Math.cos(angle), reach * Math.sin(angle)];
      const [bendX, bendY] = [-0.32 * v, 0.32 * u];
      blades += d`M${x} ${y}q${u / 2 - bendX} ${v / 2 - bendY} ${u} ${v}q${bendX - u / 2} ${bendY - v / 2} ${-u} ${-v}z`;
      ribs += d`M${x} ${y}l${u * 0.9} ${v * 0.9}`;
    }
    return fill(blades, colour) + stroke(ribs, shade(colour, 1.4), 0.7);
  };
  const vines = many(3, () => {
    const x = between(rng, 2, 62);
    return stroke(d`M${x} 0q${between(rng, -5, 5)} 14 0 ${between(rng, 18, 36)}`, hsl(hue - 20, 0.5, 0.22), 1.2);
  });
  const trunks = many(2, (i) => fill(box(between(rng, 3, 22) + i * 34, 0, between(rng, 3, 6), 52), hsl(30, 0.35, 0.2)));
  const back =
    gradient(`${prefix}air`, 0, 50, hsl(hue - 25, 0.5, between(rng, 0.32, 0.5)), hsl(hue, 0.55, 0.14)) +
    trunks +
    many(3, (i) => tuft(i * 24 + between(rng, 2, 14), between(rng, 30, 44), 19, 0.26)) +
    vines +
    many(2, (i) => tuft(i * 46 + between(rng, 2, 16), between(rng, 14, 26), 18, 0.34)) +
    fill(box(-1, 47, 66, 18), hsl(hue - 35, 0.4, 0.17)) +
    many(3, (i) => tuft(i * 26 + between(rng, 0, 12), 52, 13, 0.3));
  const corners = tuft(between(rng, -2, 5), 67, 17, 0.38) + tuft(between(rng, 59, 66), 67, 17, 0.38);
  return onLand(back, () => corners, 0.35);
};

/** Sand, a band of sea with foam, sky; a palm or a parasol at one side. */
export const drawBeach: DrawPlace = (rng, prefix) => {
  const horizon = between(rng, 20, 27);
  const shore = horizon + between(rng, 10, 14);
  const sand = hsl(between(rng, 38, 46), between(rng, 0.55, 0.75), between(rng, 0.7, 0.78));
  const sea = hsl(between(rng, 183, 200), 0.7, between(rng, 0.42, 0.52));
  const slope = between(rng, -3, 3);
  const side = rng.bernoulli(0.5) ? 1 : -1;
  const at = 32 + side * between(rng, 23, 29);
  const coast = d`M-1 ${shore + slope}Q16 ${shore - 3} 32 ${shore}T65 ${shore - slope}`;
  const palm =
    stroke(d`M${at} ${shore + 6}Q${at - side * 4} 20 ${at - side * 5} 9`, hsl(30, 0.45, 0.38), 2.6) +
    many(6, (i) => {
      const angle = (i / 5) * 200 - 100;
      const [u, v] = [13 * Math.sin((angle * Math.PI) / 180), -5 * Math.cos((angle * Math.PI) / 180) + 5];
      return stroke(d`M${at - side * 5} 9q${u * 0.6} ${v - 7} ${u} ${v}`, hsl(between(rng, 105, 135), 0.55, 0.35), 2.8);
    });
  const canopy = hsl(between(rng, 0, 360), 0.8, 0.55);
  const parasol =
    stroke(d`M${at} ${shore + 8}V14`, WHITE, 1.4) +
    fill(d`M${at - 13} 18Q${at} 2 ${at + 13} 18z`, canopy) +
    fill(d`M${at - 5} 18Q${at} 2 ${at + 5} 18z`, WHITE);
  const back =
    gradient(`${prefix}sky`, 0, horizon, hsl(205, 0.75, between(rng, 0.62, 0.74)), hsl(200, 0.7, 0.88)) +
    fill(ellipse(32 - side * between(rng, 14, 24), between(rng, 6, 11), 4), hsl(50, 1, 0.75)) +
    fill(box(-1, horizon, 66, 30), sea) +
    stroke(
      many(4, () => d`M${between(rng, 0, 50)} ${between(rng, horizon + 2, shore - 3)}h7`),
      tint(sea, 0.5),
      0.8,
    ) +
    fill(`${coast}V65H-1z`, sand) +
    stroke(coast, WHITE, 1.8) +
    (rng.bernoulli(0.6) ? palm : parasol) +
    fill(
      many(12, () => ellipse(between(rng, 0, 64), between(rng, shore + 5, 64), 0.7)),
      shade(sand, 0.85),
    );
  return onLand(back);
};

/** White ground, white firs, flakes in the air. */
export const drawSnow: DrawPlace = (rng, prefix) => {
  const horizon = between(rng, 28, 36);
  const shadowed = hsl(between(rng, 205, 222), 0.45, 0.88);
  const fir = (x: number, height: number): string => {
    const base = horizon + between(rng, 1, 4);
    const tier = (from: number, to: number, width: number, white: boolean): string =>
      fill(
        polygon([
          [x - width, base - from],
          [x, base - to],
          [x + width, base - from],
        ]),
        white ? hsl(210, 0.4, 0.96) : hsl(160, 0.3, 0.3),
      );
    return [0, 0.3, 0.58]
      .map((t) => {
        const width = height * 0.28 * (1 - t * 0.7);
        return (
          tier(height * t, height * (t + 0.45), width, false) +
          tier(height * (t + 0.2), height * (t + 0.47), width * 0.6, true)
        );
      })
      .join("");
  };
  const flakes = (count: number): string =>
    fill(
      many(count, () => ellipse(between(rng, 0, 64), between(rng, 0, 62), between(rng, 0.6, 1.1))),
      WHITE,
    );
  const back =
    gradient(`${prefix}sky`, 0, horizon + 2, hsl(212, 0.35, between(rng, 0.62, 0.74)), hsl(212, 0.3, 0.86)) +
    many(5, (i) => fir(i * 14 + between(rng, -1, 8), between(rng, 15, 27))) +
    fill(ridge(rng, horizon, 2) + "V65H-1z", hsl(210, 0.4, 0.965)) +
    stroke(
      many(3, () => d`M${between(rng, -5, 40)} ${between(rng, horizon + 6, 62)}q10 -3 22 0`),
      shadowed,
      1.6,
    ) +
    flakes(22);
  const front = flakes(6);
  return onLand(
    back,
    ({ x, y, width }) => {
      const half = width / 2 + 4;
      const drift = d`M${x - half} ${y + 2.5}Q${x - half * 0.5} ${y - 3} ${x} ${y - 0.5}Q${x + half * 0.5} ${y - 3} ${x + half} ${y + 2.5}z`;
      return fill(drift, hsl(210, 0.4, 0.965)) + front;
    },
    0.16,
  );
};

/** Peaks with snow on them over a meadow. */
export const drawMountain: DrawPlace = (rng, prefix) => {
  const foot = between(rng, 38, 44);
  const rock = hsl(between(rng, 215, 250), between(rng, 0.12, 0.25), between(rng, 0.4, 0.5));
  const peak = (x: number, y: number, spread: number, colour: typeof rock): string => {
    const [left, right] = [x - spread, x + spread * between(rng, 0.8, 1.2)];
    const cap = (foot - y) * 0.34;
    const [capLeft, capRight] = [x + ((left - x) * cap) / (foot - y), x + ((right - x) * cap) / (foot - y)];
    return (
      fill(d`M${left} ${foot}L${x} ${y}L${right} ${foot}z`, colour) +
      fill(d`M${x} ${y}L${right} ${foot}H${x + spread * 0.2}z`, shade(colour, 0.82)) +
      fill(
        d`M${x} ${y}L${capLeft} ${y + cap}L${x - 2} ${y + cap * 0.7}L${x + 1} ${y + cap * 1.2}L${x + 4} ${y + cap * 0.7}L${capRight} ${y + cap}z`,
        hsl(210, 0.3, 0.97),
      )
    );
  };
  const main = between(rng, 12, 52);
  const back =
    gradient(`${prefix}sky`, 0, foot, hsl(between(rng, 200, 215), 0.7, 0.62), hsl(200, 0.6, 0.88)) +
    cloud(rng, between(rng, 5, 58), between(rng, 5, 12)) +
    peak(main + (main < 32 ? 30 : -30), between(rng, 15, 21), 24, tint(rock, 0.25)) +
    peak(main, between(rng, 3, 9), between(rng, 28, 34), rock) +
    fill(
      ridge(rng, foot, 1.5) + "V65H-1z",
      hsl(between(rng, 85, 110), between(rng, 0.4, 0.55), between(rng, 0.42, 0.5)),
    ) +
    stroke(
      many(7, () => d`M${between(rng, 0, 62)} ${between(rng, foot + 4, 63)}l1 -2.5l1 2.5`),
      hsl(105, 0.5, 0.32),
      0.9,
    );
  return onLand(back);
};

/** A dark cone with lava running down, glow and smoke. */
export const drawVolcano: DrawPlace = (rng, prefix) => {
  const foot = between(rng, 41, 46);
  const x = between(rng, 16, 48);
  const mouth = between(rng, 13, 18);
  const rock = hsl(between(rng, 0, 25), 0.2, between(rng, 0.17, 0.23));
  const lava = hsl(between(rng, 12, 28), 1, 0.54);
  const smoke = hsl(between(rng, 0, 30), 0.12, between(rng, 0.3, 0.42));
  const back =
    gradient(`${prefix}sky`, 0, foot, hsl(between(rng, 270, 340), 0.35, 0.24), hsl(between(rng, 8, 30), 0.75, 0.55)) +
    many(5, (i) =>
      fill(
        ellipse(x + between(rng, -3, 3) + i * between(rng, 0, 3), mouth - 3 - i * 3.4, 4.5 + i * 1.3, 3.6 + i * 0.6),
        tint(smoke, 0.06 * i),
      ),
    ) +
    stroke(
      many(5, () => d`M${x} ${mouth}q${between(rng, -6, 6)} -12 ${between(rng, -15, 15)} ${between(rng, -10, -1)}`),
      lava,
      1.2,
    ) +
    fill(
      d`M${x - 38} ${foot}Q${x - 14} ${foot - 9} ${x - 7} ${mouth}H${x + 7}Q${x + 14} ${foot - 9} ${x + 38} ${foot}z`,
      rock,
    ) +
    fill(
      d`M${x - 7} ${mouth}Q${x} ${mouth + 3} ${x + 7} ${mouth}L${x + 9} ${mouth + 6}L${x + 5} ${mouth + 5}L${x + 6} ${mouth + 17}L${x + 2} ${mouth + 8}L${x - 1} ${mouth + 25}L${x - 4} ${mouth + 7}L${x - 8} ${mouth + 14}z`,
      lava,
    ) +
    fill(ellipse(x, mouth, 7, 1.6), hsl(48, 1, 0.65)) +
    fill(ridge(rng, foot, 1.5) + "V65H-1z", hsl(rock.h, 0.2, between(rng, 0.3, 0.38))) +
    many(6, () => fill(ellipse(between(rng, 0, 64), between(rng, foot + 4, 63), 2.2, 1.1), shade(rock, 1.1)));
  return onLand(back, undefined, 0.4);
};

/** Golden stalks to the horizon, and some in front of the subject. */
export const drawWheatField: DrawPlace = (rng, prefix) => {
  const horizon = between(rng, 22, 30);
  const hue = between(rng, 40, 48);
  const row = (y: number, height: number, count: number, lightness: number): string => {
    const colour = hsl(hue + between(rng, -4, 4), 0.75, lightness);
    let [stalks, ears] = ["", ""];
    for (let i = 0; i < count; i++) {
      const x = ((i + between(rng, 0.1, 0.9)) * 66) / count - 1;
      const lean = between(rng, -2.5, 2.5);
      stalks += d`M${x} ${y}q0 ${-height * 0.6} ${lean} ${-height}`;
      ears += d`M${x + lean * 0.9} ${y - height + 3}q-2 -3 ${lean * 0.3} -6.4q2 3 ${-lean * 0.3} 6.4z`;
    }
    return stroke(stalks, colour, 0.8) + fill(ears, shade(colour, 1.15));
  };
  const back =
    gradient(`${prefix}sky`, 0, horizon, hsl(208, between(rng, 0.55, 0.8), 0.66), hsl(205, 0.6, 0.86)) +
    cloud(rng, between(rng, 8, 56), between(rng, 6, 12)) +
    fill(ridge(rng, horizon, 1) + "V65H-1z", hsl(hue, 0.7, 0.56)) +
    stroke(
      many(6, (i) => d`M-1 ${horizon + 4 + i * 5}q16 -2 33 0t33 0`),
      hsl(hue - 6, 0.65, 0.46),
      1.2,
    ) +
    row(horizon + 9, 9, 12, 0.5) +
    row(horizon + 20, 12, 11, 0.47);
  const near = row(67, 12, 12, 0.44);
  return onLand(back, () => near, 0.2);
};
