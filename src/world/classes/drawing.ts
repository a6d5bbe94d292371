import type { Pose } from "../coat.ts";
import type { Instance } from "../scene.ts";

/**
 * A subject in its own coordinates: y points down, the ground is y = 0, x = 0 is the middle of what stands on it,
 * and the longer side measures about 100.
 */
export interface Drawing {
  /** Behind the head and what is worn on the torso; for objects all there is. */
  readonly body: string;
  readonly left: number;
  readonly right: number;
  /** The highest point: negative. */
  readonly top: number;
  /** Live subjects only: where things are worn. */
  readonly figure?: Figure;
}

export interface Figure {
  /** In front of the torso, with its origin at (x, y) and turned by `angle` degrees. */
  readonly head: { readonly svg: string; readonly x: number; readonly y: number; readonly angle: number };
  /** In the head's coordinates: the crown that a hat sits on, the eyes that glasses cover. */
  readonly crown: { readonly x: number; readonly y: number; readonly width: number };
  readonly eyes: readonly (readonly [x: number, y: number])[];
  /** In the subject's coordinates: path data of the part that a shirt covers, and the throat that a scarf goes round. */
  readonly torso: string;
  readonly throat: { readonly x: number; readonly y: number; readonly width: number; readonly angle: number };
}

/** Draws an instance in a pose; the same arguments give the same drawing. */
export type Draw = (instance: Instance, pose: Pose) => Drawing;
