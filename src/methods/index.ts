/** The methods that --method takes: a line each, and a folder of that name with method.ts. */
export { dreambooth } from "./dreambooth/index.ts";
export { preserve } from "./preserve/index.ts";
export { rpo } from "./rpo/index.ts";
