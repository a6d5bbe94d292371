/** The methods that --method takes: a line each, and a folder of that name with method.ts. */
export { advantage } from "./advantage/index.ts";
export { custom } from "./custom/index.ts";
export { disenbooth } from "./disenbooth/index.ts";
export { dpo } from "./dpo/index.ts";
export { dreambooth } from "./dreambooth/index.ts";
export { inversion } from "./inversion/index.ts";
export { kto } from "./kto/index.ts";
export { preserve } from "./preserve/index.ts";
export { rpo } from "./rpo/index.ts";
export { sfo } from "./sfo/index.ts";
