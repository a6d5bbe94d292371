import { BLACK, between, hsl, shade, tint, WHITE } from "../colour.ts";
import { box, d, ellipse, fill, gradient, stroke } from "../svg.ts";
import { cloud, many, ridge } from "./parts.ts";
import { onLand, type DrawPlace } from "./place.ts";

/** Grey ground with craters under a black sky with stars and the Earth. */
export const drawMoon: DrawPlace = (rng) => {
  const horizon = between(rng, 34, 41);
  const dust = hsl(between(rng, 30, 60), between(rng, 0, 0.06), between(rng, 0.58, 0.68));
  const stars = fill(
    many(20, () => ellipse(between(rng, 0, 64), between(rng, 0, horizon), between(rng, 0.4, 0.9))),
    WHITE,
  );
  const [x, y, r] = [
    rng.bernoulli(0.5) ? between(rng, 6, 16) : between(rng, 48, 58),
    between(rng, 7, 13),
    between(rng, 5, 7),
  ];
  const earth =
    fill(ellipse(x, y, r), hsl(210, 0.8, 0.5)) +
    fill(
      d`M${x - r * 0.7} ${y - r * 0.4}q${r * 0.8} -3 ${r} 1q-2 3 -4 2z` +
        ellipse(x + 1, y + r * 0.5, r * 0.45, r * 0.25),
      hsl(120, 0.45, 0.42),
    ) +
    stroke(d`M${x - r * 0.6} ${y + 1}q3 -2 ${r} 0`, WHITE, 1);
  const craters = Array.from({ length: 6 }, () => {
    const [u, v, w] = [between(rng, 0, 64), between(rng, horizon + 4, 63), between(rng, 3, 7)];
    return { rim: ellipse(u, v, w, w * 0.36), floor: ellipse(u, v + w * 0.1, w * 0.85, w * 0.25) };
  });
  const pits =
    fill(craters.map(({ rim }) => rim).join(""), shade(dust, 0.7)) +
    fill(craters.map(({ floor }) => floor).join(""), shade(dust, 0.83));
  const back =
    fill(box(-1, -1, 66, 66), shade(BLACK, between(rng, 0.4, 1))) +
    stars +
    earth +
    fill(ridge(rng, horizon, 1.6) + "V65H-1z", dust) +
    pits;
  return onLand(back, undefined, 0.45);
};

/** Open water to the horizon, with waves. */
export const drawWater: DrawPlace = (rng, prefix) => {
  const horizon = between(rng, 13, 22);
  const water = hsl(between(rng, 206, 222), between(rng, 0.5, 0.7), between(rng, 0.34, 0.44));
  const warm = rng.bernoulli(0.35);
  const sky = warm
    ? [hsl(220, 0.4, 0.62), hsl(between(rng, 20, 42), 0.85, 0.78)]
    : [hsl(206, 0.65, 0.68), hsl(200, 0.6, 0.9)];
  const waves = (count: number, from: number, to: number): string =>
    many(count, () => {
      const y = between(rng, from, to);
      const length = 2 + (y - horizon) * 0.12;
      return d`M${between(rng, -4, 60)} ${y}q${length} ${-length * 0.7} ${length * 2} 0`;
    });
  const back =
    gradient(`${prefix}sky`, 0, horizon, ...sky) +
    (warm
      ? fill(ellipse(between(rng, 8, 56), horizon - 1, 4.5), hsl(40, 1, 0.72))
      : cloud(rng, between(rng, 8, 56), between(rng, 5, 9))) +
    gradient(`${prefix}sea`, horizon, 65 - horizon, tint(water, 0.22), shade(water, 0.85)) +
    stroke(waves(16, horizon + 3, 63), tint(water, 0.45), 0.9) +
    stroke(waves(9, horizon + 5, 63), shade(water, 0.7), 0.9);
  const near = stroke(waves(6, 58, 64), tint(water, 0.5), 1);
  return {
    back,
    front: ({ x, y, width }) => {
      const half = width / 2 + 5;
      const wave = d`M${x - half} ${y}q${half * 0.25} -3 ${half * 0.5} 0t${half * 0.5} 0t${half * 0.5} 0t${half * 0.5} 0`;
      return (
        fill(`${wave}${d`H65V66H-1V${y}z`}`, shade(water, 0.92), 0.86) + stroke(wave, tint(water, 0.75), 1.3) + near
      );
    },
    ground: [49, 57],
    immersion: 0.16,
    shadow: 0,
  };
};
