import type { Random } from "../tensor/random.ts";
import { between } from "./colour.ts";
import { FRAME } from "./compose.ts";
import type { StyleName } from "./scene.ts";

type Pixels = Uint8Array<ArrayBuffer>;

/** The picture (RGB, 64 x 64 x 3) in another style. */
export function paintIn(style: StyleName, image: Pixels, rng: Random): Pixels {
  return style === "van gogh" ? vanGogh(image, rng) : pencilSketch(image, rng);
}

/**
 * Brush strokes along a field of whirls: line integral convolution (Cabral and Leedom, SIGGRAPH 1993) of noise gives the
 * strokes, of the picture their colours, which are then made stronger: yellow in the lights, blue in the shadows.
 */
function vanGogh(image: Pixels, rng: Random): Pixels {
  const noise = Array.from({ length: FRAME * FRAME }, () => rng.uniform() - 0.5);
  const whirls = Array.from({ length: 4 }, () => ({
    x: between(rng, 0, FRAME),
    y: between(rng, 0, FRAME),
    spin: rng.bernoulli(0.5) ? 1 : -1,
    reach: between(rng, 10, 18),
  }));
  const flow = Array.from({ length: FRAME * FRAME }, (_, at) =>
    directionAt(at % FRAME, Math.floor(at / FRAME), whirls),
  );
  const out = new Uint8Array(image.length);
  for (let at = 0; at < flow.length; at++) {
    const steps = streamline(flow, at);
    const grain = steps.reduce((sum, step) => sum + noise[step], 0) / steps.length;
    // the colour of the stroke's middle third
    const mean = (c: number): number =>
      (2 * image[3 * at + c] + image[3 * steps[1] + c] + image[3 * steps[STROKE + 1] + c]) / 4;
    const [r, g, b] = [mean(0), mean(1), mean(2)];
    const grey = 0.3 * r + 0.59 * g + 0.11 * b;
    const warmth = (grey - 110) / 145;
    out[3 * at] = byte(grey + (r - grey) * 1.4 + 200 * grain + 16 * warmth);
    out[3 * at + 1] = byte(grey + (g - grey) * 1.4 + 190 * grain + 9 * warmth);
    out[3 * at + 2] = byte(grey + (b - grey) * 1.4 + 150 * grain - 30 * warmth);
  }
  return out;
}

/** Half a brush stroke in pixels. */
const STROKE = 5;

interface Whirl {
  readonly x: number;
  readonly y: number;
  readonly spin: number;
  readonly reach: number;
}

/** Which way the brush goes at a pixel: a drift to the right, bent by the whirls. A unit vector. */
function directionAt(x: number, y: number, whirls: readonly Whirl[]): readonly [number, number] {
  let [u, v] = [0.35, 0.12];
  for (const whirl of whirls) {
    const [a, b] = [x - whirl.x, y - whirl.y];
    const pull = (whirl.spin / 8) * Math.exp(-(a * a + b * b) / (2 * whirl.reach ** 2));
    u -= pull * b;
    v += pull * a;
  }
  const length = Math.hypot(u, v) + 1e-6;
  return [u / length, v / length];
}

/** The pixels of the stroke through a pixel: STROKE forwards, itself first, then as many backwards. */
function streamline(flow: readonly (readonly [number, number])[], start: number): number[] {
  const pixels: number[] = [];
  for (const direction of [1, -1]) {
    let [x, y] = [start % FRAME, Math.floor(start / FRAME)];
    for (let step = 0; step < STROKE; step++) {
      const at = Math.round(clamp(y)) * FRAME + Math.round(clamp(x));
      pixels.push(at);
      x += direction * flow[at][0];
      y += direction * flow[at][1];
    }
  }
  return pixels;
}

/** Grey lines where the picture changes, hatching where it is dark, on paper. */
function pencilSketch(image: Pixels, rng: Random): Pixels {
  const grey = Array.from(
    { length: FRAME * FRAME },
    (_, i) => 0.3 * image[3 * i] + 0.59 * image[3 * i + 1] + 0.11 * image[3 * i + 2],
  );
  const at = (x: number, y: number): number => grey[clamp(y) * FRAME + clamp(x)];
  const out = new Uint8Array(image.length);
  for (let y = 0; y < FRAME; y++) {
    for (let x = 0; x < FRAME; x++) {
      const edge = Math.hypot(at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1));
      const hatched = (x + y) % 4 < 2 ? 1 : 0.15;
      const darkness = Math.max(0, 1 - at(x, y) / 215) * 105 * hatched;
      const tone = 244 - Math.min(190, edge * 1.5) - darkness + between(rng, -7, 7);
      const i = 3 * (y * FRAME + x);
      out[i] = byte(tone + 2);
      out[i + 1] = byte(tone);
      out[i + 2] = byte(tone - 4);
    }
  }
  return out;
}

function clamp(value: number): number {
  return Math.min(FRAME - 1, Math.max(0, value));
}

function byte(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}
