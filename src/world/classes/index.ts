import type { ClassName } from "../scene.ts";
import { drawCat } from "./cat.ts";
import { drawBackpack, drawCan, drawTeapot, drawVase } from "./containers.ts";
import { drawDog } from "./dog.ts";
import type { Draw } from "./drawing.ts";
import { drawBoot, drawCandle, drawClock, drawToyCar } from "./things.ts";
import { drawDuckToy, drawRobotToy } from "./toys.ts";

/** How each class is drawn. */
export const CLASSES: Readonly<Record<ClassName, Draw>> = {
  dog: drawDog,
  cat: drawCat,
  backpack: drawBackpack,
  teapot: drawTeapot,
  vase: drawVase,
  boot: drawBoot,
  can: drawCan,
  clock: drawClock,
  candle: drawCandle,
  "toy car": drawToyCar,
  "duck toy": drawDuckToy,
  "robot toy": drawRobotToy,
};
