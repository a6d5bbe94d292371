import type { PlaceName } from "../scene.ts";

/** What a text says of each place and of no other. */
export const PLACE_WORDS: Readonly<Record<PlaceName, RegExp>> = {
  jungle: /jungle/,
  beach: /beach/,
  snow: /snow/,
  mountain: /mountain/,
  city: /city/,
  "pink fabric": /pink fabric/,
  "wooden floor": /wooden floor/,
  moon: /moon/i,
  "wheat field": /wheat field/,
  pool: /pool/,
  water: /floating on (top of )?water/,
  volcano: /volcano/,
};
