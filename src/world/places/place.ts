import type { Random } from "../../tensor/random.ts";

/** Where a subject touches the ground or the water, in pixels of the 64 x 64 frame. */
export interface Contact {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Surroundings in the frame's coordinates: 0 to 64, y down. */
export interface Place {
  /** Behind the subject. */
  readonly back: string;
  /** In front of the subject, of what it stands in; without gradients, since masks repaint it. */
  readonly front: (contact: Contact) => string;
  /** Between which y the subject stands. */
  readonly ground: readonly [number, number];
  /** The part of the subject that is under water. */
  readonly immersion: number;
  /** Opacity of the shadow on the ground. */
  readonly shadow: number;
}

/** Draws a place with details that the random numbers choose; `prefix` goes before every id. */
export type DrawPlace = (rng: Random, prefix: string) => Place;

/** A place on dry land. */
export function onLand(back: string, front: (contact: Contact) => string = () => "", shadow = 0.28): Place {
  return { back, front, ground: [53, 61], immersion: 0, shadow };
}
