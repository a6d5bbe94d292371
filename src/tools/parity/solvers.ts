import type { Kind, Solver } from "./case.ts";
import { solveImage } from "./image.ts";
import { solveUnet, solveVae } from "./models.ts";
import { solvePipeline } from "./pipeline.ts";
import { solveRpo } from "./rpo.ts";
import { solveSchedule } from "./schedule.ts";
import { solveText, solveTokenizer } from "./text.ts";

/** What answers each kind of parity case. */
export const solvers: Readonly<Record<Kind, Solver>> = {
  tokenizer: solveTokenizer,
  text: solveText,
  unet: solveUnet,
  vae: solveVae,
  schedule: solveSchedule,
  pipeline: solvePipeline,
  image: solveImage,
  rpo: solveRpo,
};
