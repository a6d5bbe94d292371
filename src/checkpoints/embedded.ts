import { sep } from "node:path";
import { packagePath } from "../system/package.ts";

/** The name that stands for the models in this package, wherever a model's folder is asked for. */
export const EMBEDDED_MODEL = "tiny";

/** Holds them all. */
export const EMBEDDED_FOLDER = packagePath("models", EMBEDDED_MODEL);

/** What the package carries: a Stable Diffusion, the reward's ALIGN, the judges' CLIP and DINO, and the demo's subjects. */
const PARTS = ["sd", "align", "clip", "dino", "subjects"] as const;
export type EmbeddedPart = (typeof PARTS)[number];

/** The folder of an embedded model; it may be missing in a checkout whose models were not pretrained. */
export function embeddedFolder(part: EmbeddedPart): string {
  return packagePath("models", EMBEDDED_MODEL, part);
}

/** Which embedded model a path is, of this copy of the package or another one. */
export function embeddedPart(path: string): EmbeddedPart | undefined {
  const found = new RegExp(`[\\\\/]models[\\\\/]${EMBEDDED_MODEL}[\\\\/](\\w+)[\\\\/]?$`).exec(path)?.[1];
  return PARTS.find((part) => part === found);
}

/** Whether a path is one of this package's models or subjects. */
export function isEmbedded(path: string): boolean {
  return path.startsWith(EMBEDDED_FOLDER + sep);
}
