import type { PlaceName } from "../scene.ts";
import { drawMoon, drawWater } from "./faraway.ts";
import { drawCity, drawPinkFabric, drawPool, drawWoodenFloor } from "./made.ts";
import { drawBeach, drawJungle, drawMountain, drawSnow, drawVolcano, drawWheatField } from "./nature.ts";
import type { DrawPlace } from "./place.ts";

/** How each place is drawn. */
export const PLACES: Readonly<Record<PlaceName, DrawPlace>> = {
  jungle: drawJungle,
  beach: drawBeach,
  snow: drawSnow,
  mountain: drawMountain,
  city: drawCity,
  "pink fabric": drawPinkFabric,
  "wooden floor": drawWoodenFloor,
  moon: drawMoon,
  "wheat field": drawWheatField,
  pool: drawPool,
  water: drawWater,
  volcano: drawVolcano,
};
