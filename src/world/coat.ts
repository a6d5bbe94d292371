import { Random } from "../tensor/random.ts";
import { between, outlineOf, type Colour } from "./colour.ts";
import type { Instance, View } from "./scene.ts";
import { box, clipped, d, ellipse, fill, placed, polygon, stroke } from "./svg.ts";

/** What the drawing functions of `classes/` need beside the subject: its pose, and how to name and light its parts. */
export interface Pose {
  readonly turn: number;
  readonly limbs: number;
  /** Before every id, so that many scenes fit into one document. */
  readonly prefix: string;
  readonly lightFromRight: boolean;
}

/** The part of a view that bends the subject. A flipped subject is lit from the other side. */
export function poseOf(view: View, prefix: string): Pose {
  return { turn: view.turn, limbs: view.limbs, prefix, lightFromRight: view.lightFromRight !== view.flip };
}

/** A rectangle: left, top, right, bottom. */
export type Area = readonly [left: number, top: number, right: number, bottom: number];

export const OUTLINE_WIDTH = 2.6;

/** A surface of one colour with its shading and rim. */
export function solid(pose: Pose, data: string, colour: Colour): string {
  return marked(pose, "", data, colour, "");
}

/** A surface with `marks` on it, cut off at its edge; `name` is unique among the subject's parts. */
export function marked(pose: Pose, name: string, data: string, colour: Colour, marks: string): string {
  return fill(data, colour) + clipped(pose.prefix + name, data, marks) + lit(pose, data) + rim(data, colour);
}

/** A surface that shows the instance's primary colour and pattern. */
export function coat(instance: Instance, pose: Pose, name: string, data: string, area: Area): string {
  return marked(pose, name, data, instance.primary, patternOf(instance, area));
}

/** The rim alone: for thin parts and for overlapping ones. */
export function rim(data: string, colour: Colour, width = OUTLINE_WIDTH): string {
  return stroke(data, outlineOf(colour), width);
}

/** A thick line with a rim on both sides: a handle, a tail. */
export function cord(data: string, colour: Colour, width: number): string {
  return stroke(data, outlineOf(colour), width + OUTLINE_WIDTH) + stroke(data, colour, width);
}

/** Light and shadow on a round surface. */
function lit(pose: Pose, data: string): string {
  return `<path d="${data}" fill="url(#lit-${pose.lightFromRight ? "right" : "left"})"/>`;
}

/** The marks of the instance's pattern over `area`, in its secondary colour; to be clipped to the surface. */
function patternOf(instance: Instance, area: Area): string {
  const [left, top, right, bottom] = area;
  const { patternAngle: angle, patternScale: scale, patternPhase: phase, secondary } = instance;
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const reach = Math.hypot(right - left, bottom - top) / 2;
  const period = 13 + 9 * scale;
  const steps = Math.ceil(reach / period);
  const rows = Array.from({ length: 2 * steps + 1 }, (_, i) => (i - steps + phase - 0.5) * period);
  const rng = new Random(instance.seed).split("pattern");

  switch (instance.pattern) {
    case "plain":
      return "";
    case "stripes": {
      const bars = rows.map((at) => box(at - period * 0.22, -reach, period * 0.45, 2 * reach)).join("");
      return placed(fill(bars, secondary), x, y, angle);
    }
    case "bands": {
      const bars = rows.map((at) => box(-reach, at - period * 0.25, 2 * reach, period * 0.5)).join("");
      return placed(fill(bars, secondary), x, y, 0);
    }
    case "dots": {
      const radius = period * 0.29;
      const dots = rows.flatMap((v, row) => rows.map((u) => ellipse(u + (row % 2) * period * 0.5, v, radius)));
      return placed(fill(dots.join(""), secondary), x, y, angle);
    }
    case "patches": {
      const blobs = Array.from({ length: 4 }, (_, i) => {
        const blobX = left + (right - left) * ((i + between(rng, 0.1, 0.9)) / 4);
        const blobY = top + (bottom - top) * between(rng, 0.05, 0.95);
        return blob(rng, blobX, blobY, between(rng, 0.22, 0.36) * Math.min(right - left, bottom - top));
      });
      return fill(blobs.join(""), secondary);
    }
    case "halves":
      return placed(fill(box((phase - 0.5) * reach * 0.3, -reach, reach, 2 * reach), secondary), x, y, angle);
    case "checks": {
      const squares = rows.flatMap((v, row) =>
        rows.filter((_, column) => (row + column) % 2 === 0).map((u) => box(u, v, period, period)),
      );
      return placed(fill(squares.join(""), secondary), x, y, 0);
    }
    case "zigzag": {
      const wave = period * 0.5;
      const line = (at: number): string =>
        rows.map((u, i) => d`${u} ${at + (i % 2 === 0 ? -wave : wave) * 0.8}`).join("L");
      const lines = rows.map((at) => `M${line(at * 1.5)}`).join("");
      return placed(stroke(lines, secondary, period * 0.4), x, y, 0);
    }
  }
}

/** Path data of an irregular round patch. */
export function blob(rng: Random, x: number, y: number, radius: number): string {
  const corners = Array.from({ length: 7 }, (_, i): [number, number] => {
    const angle = (i / 7) * 2 * Math.PI;
    const r = radius * between(rng, 0.75, 1.3);
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  });
  return polygon(corners);
}
