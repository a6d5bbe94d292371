import { Random } from "../tensor/random.ts";
import { CLASSES } from "./classes/index.ts";
import type { Drawing } from "./classes/drawing.ts";
import { poseOf } from "./coat.ts";
import { BLACK, namedColour, toneOf, WHITE } from "./colour.ts";
import { PLACES } from "./places/index.ts";
import { drawPaper, drawPlain, drawStarryNight } from "./places/plain.ts";
import type { DrawPlace, Place } from "./places/place.ts";
import type { Instance, Scene } from "./scene.ts";
import { box, ellipse, fill, inOneInk, placed } from "./svg.ts";
import { dress } from "./worn.ts";

/** The side of a picture in pixels; also the side of the frame's coordinates. */
export const FRAME = 64;

/** A scene as SVG fragments over the frame. Both need {@link lightGradients} in their document. */
export interface Composition {
  readonly picture: string;
  /** White where the subject is to be seen, on black. Water and leaves in front of it and what it wears do not belong to it. */
  readonly mask: string;
}

/** The SVG of a scene; `prefix` must be unique among the scenes of a document. */
export function compose(scene: Scene, prefix: string): Composition {
  const rng = new Random(scene.seed);
  const place = surroundingsOf(scene)(rng.split("place"), prefix);
  const pose = poseOf(scene.view, prefix);
  const drawing = CLASSES[scene.instance.className](lookOf(scene, rng), pose);
  const { figure } = drawing;
  const worn = scene.worn && figure && dress(scene.worn, figure, pose, rng.split("worn"));
  const head =
    figure && ((content: string): string => placed(content, figure.head.x, figure.head.y, figure.head.angle));

  const layers: readonly { readonly svg: string; readonly ink: "subject" | "worn" }[] = [
    { svg: drawing.body, ink: "subject" },
    { svg: worn?.onTorso ?? "", ink: "worn" },
    { svg: head?.(figure?.head.svg ?? "") ?? "", ink: "subject" },
    { svg: head?.(worn?.onHead ?? "") ?? "", ink: "worn" },
  ];
  const fit = fitOf(scene, drawing, place, worn?.height ?? 0);
  const inFrame = (svg: string): string =>
    placed(svg, fit.x, fit.y, scene.view.tilt, fit.scaleX * (scene.view.flip ? -1 : 1), fit.scaleY);
  const front = place.front({ x: fit.middle, y: fit.waterline, width: fit.width });
  const shadow = fill(ellipse(fit.middle, fit.y, fit.width * 0.52, 2.6), BLACK, place.shadow);

  return {
    picture:
      place.back +
      (place.shadow > 0 ? shadow : "") +
      inFrame(layers.map(({ svg }) => svg).join("")) +
      front +
      lightOver(scene.view.light),
    mask:
      fill(box(0, 0, FRAME, FRAME), BLACK_INK) +
      inFrame(layers.map(({ svg, ink }) => (ink === "subject" ? inOneInk(svg, WHITE) : inBlack(svg))).join("")) +
      inBlack(front),
  };
}

const BLACK_INK = { h: 0, s: 0, l: 0 };

/** What hides the subject: opaque black, without the light on its surfaces. */
function inBlack(svg: string): string {
  return inOneInk(svg.replace(/<path d="[^"]*" fill="url\(#lit-[a-z]+\)"\/>/g, ""), BLACK_INK);
}

/** The instance in the colour that the scene gives it. */
function lookOf(scene: Scene, rng: Random): Instance {
  if (!scene.colour) return scene.instance;
  const primary = namedColour(scene.colour, rng.split("colour"));
  return { ...scene.instance, primary, secondary: toneOf(primary) };
}

function surroundingsOf({ place, style }: Scene): DrawPlace {
  if (place) return PLACES[place];
  if (style === "van gogh") return drawStarryNight;
  return style === "pencil sketch" ? drawPaper : drawPlain;
}

/** Where the subject's origin goes, how it is scaled, and what it then covers. */
interface Fit {
  readonly x: number;
  readonly y: number;
  readonly scaleX: number;
  readonly scaleY: number;
  readonly middle: number;
  readonly width: number;
  readonly waterline: number;
}

/** Fits the subject, with a hat of `extra` units, into the frame as the view says, never smaller than needed. */
function fitOf({ view }: Scene, drawing: Drawing, place: Place, extra: number): Fit {
  const height = -drawing.top + extra;
  const unitWidth = (drawing.right - drawing.left) * view.stretch;
  const [far, near] = place.ground;
  const waterline = far + ((near - far) * (view.y + 1)) / 2;
  const dry = height - place.immersion * -drawing.top;
  const scale = Math.min(
    (view.size * FRAME) / Math.max(unitWidth, height),
    (FRAME - 3) / unitWidth,
    (waterline - 2) / dry,
  );

  const width = unitWidth * scale;
  const middle = FRAME / 2 + (view.x * Math.max(0, FRAME - 2 - width)) / 2;
  const centre = ((drawing.left + drawing.right) / 2) * view.stretch * (view.flip ? -1 : 1);
  return {
    x: middle - centre * scale,
    y: waterline + place.immersion * -drawing.top * scale,
    scaleX: scale * view.stretch,
    scaleY: scale,
    middle,
    width,
    waterline,
  };
}

/** A veil of light or dusk over the whole picture. */
function lightOver(light: number): string {
  return fill(box(0, 0, FRAME, FRAME), light > 0 ? WHITE : BLACK, light > 0 ? 0.1 * light : -0.13 * light);
}
