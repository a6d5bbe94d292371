import { sep } from "node:path";
import { packagePath } from "../tensor/package.ts";

/** The name that stands for the models in this package, wherever a model's folder is asked for. */
export const EMBEDDED_MODEL = "tiny";

/** Holds them all. */
export const EMBEDDED_FOLDER = packagePath("models", EMBEDDED_MODEL);

/** What the package carries: a Stable Diffusion, the reward's ALIGN, the judges' CLIP and DINO, and the demo's subjects. */
export type EmbeddedPart = "sd" | "align" | "clip" | "dino" | "subjects";

/** The folder of an embedded model; it may be missing in a checkout whose models were not pretrained. */
export function embeddedFolder(part: EmbeddedPart): string {
  return packagePath("models", EMBEDDED_MODEL, part);
}

/** Whether a path is one of this package's models or subjects. */
export function isEmbedded(path: string): boolean {
  return path.startsWith(EMBEDDED_FOLDER + sep);
}
