import type { Image } from "../../images/image.ts";
import { FRAME } from "../../world/compose.ts";
import { renderScenes } from "../../world/render.ts";
import { CLASS_NAMES, type Scene } from "../../world/scene.ts";
import { sampleOf } from "../pictures.ts";
import { albumScene } from "./albums.ts";

/** What figures are measured on: instances that no model has trained on. */

export interface HeldOutScene {
  readonly scene: Scene;
  readonly caption: string;
}

/** Scenes of held-out instances with captions of everything. */
export function heldOutScenes(count: number): HeldOutScene[] {
  return Array.from({ length: count }, (_, i) => sampleOf("held-out", i, { split: "heldOut" }));
}

export async function rendered(scenes: readonly Scene[]): Promise<Image[]> {
  const pictures = await renderScenes(scenes);
  return pictures.map(({ image }) => ({ width: FRAME, height: FRAME, data: image }));
}

/** Two pictures of each of `perClass` held-out instances of every class, as photos of a subject are: [class][instance]. */
export async function heldOutViews(perClass: number): Promise<{ first: Image[][]; second: Image[][] }> {
  const name = "held-out-album";
  const wanted = albumScene({ name, views: 2, split: "heldOut" });
  const view = (classIndex: number, instance: number, number: number) =>
    sampleOf(name, (instance * CLASS_NAMES.length + classIndex) * 2 + number, wanted).scene;
  const pictures = (number: number) =>
    Promise.all(CLASS_NAMES.map((_, c) => rendered(Array.from({ length: perClass }, (_, i) => view(c, i, number)))));
  return { first: await pictures(0), second: await pictures(1) };
}
