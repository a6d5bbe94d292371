/** What --method takes: a line each. */
export { rpo } from "./rpo/index.ts";
