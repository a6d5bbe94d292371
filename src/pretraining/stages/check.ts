import { join } from "node:path";
import { exists } from "../../system/files.ts";
import { examineAlign, examineAutoencoder, examineClip, examineDino, examineDrawing } from "../judges/exams.ts";
import { passes, type Figure } from "../judges/figures.ts";
import type { Stage, StageContext } from "./stage.ts";

interface Exam {
  readonly title: string;
  /** Folders below the models' that it needs. */
  readonly needs: readonly string[];
  readonly figures: (context: StageContext) => Promise<Figure[]>;
}

const exams: readonly Exam[] = [
  {
    title: "sd: the VAE",
    needs: ["sd"],
    figures: ({ models, session }) => examineAutoencoder(join(models, "sd"), session),
  },
  { title: "align", needs: ["align"], figures: ({ models, session }) => examineAlign(join(models, "align"), session) },
  { title: "dino", needs: ["dino"], figures: ({ models, session }) => examineDino(join(models, "dino"), session) },
  { title: "clip", needs: ["clip"], figures: ({ models, session }) => examineClip(join(models, "clip"), session) },
  { title: "sd: what its pictures show, as clip sees it", needs: ["sd", "clip"], figures: drawings },
];

export function drawings({ models, session, log, shouldStop }: StageContext): Promise<Figure[]> {
  return examineDrawing(join(models, "sd"), {
    judge: join(models, "clip"),
    session,
    onStep(done, total) {
      if (shouldStop()) throw new Error("interrupted");
      if (done % (total / 8) === 0) log(`  drew ${Math.round((100 * done) / total)} %`);
    },
  });
}

/**
 * Every figure that the embedded models must reach, measured on held-out instances, beside its bar. A model that is not there has not reached
 * its own.
 */
export const check: Stage = async (context) => {
  let good = true;
  for (const { title, needs, figures } of exams) {
    context.print(title);
    const missing = await missingOf(needs.map((name) => join(context.models, name)));
    if (missing !== undefined) {
      context.print(`  FAIL: ${missing} does not exist`);
      good = false;
      continue;
    }
    for (const figure of await figures(context)) {
      context.print(lineOf(figure));
      good &&= passes(figure);
    }
  }
  return good;
};

function lineOf(figure: Figure): string {
  const { what, value, bar, digits = 3 } = figure;
  const verdict = bar === undefined ? "" : `  >= ${bar.toFixed(digits)}  ${passes(figure) ? "pass" : "FAIL"}`;
  return `  ${what.padEnd(52)} ${value.toFixed(digits).padStart(7)}${verdict}`;
}

async function missingOf(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (!(await exists(folder))) return folder;
  return undefined;
}
