import { readRunConfig } from "../../runs/config.ts";
import { readEvents } from "../../runs/folder.ts";
import { readExam } from "../../runs/exam-file.ts";
import { html } from "../../report/html.ts";
import { rest } from "../../report/render.ts";
import { judgedFiles } from "../../report/read.ts";
import { reportOf } from "../../report/report.ts";
import { examSection } from "../../report/sections/exam.ts";
import type { Picture } from "../../report/view.ts";
import { withNegativesNamed } from "../../report/version-1.ts";
import { pictureUrl } from "../urls.ts";
import type { KnownRun } from "./registry.ts";

/** What the report says of a run beside its curves and validations, by the report's own functions, with the pictures where the page has them. */
export async function sectionsOf({ id, folder }: KnownRun): Promise<string> {
  const { settings, judging, ...provenance } = await readRunConfig(folder);
  const events = await readEvents(folder);
  const report = reportOf(settings, withNegativesNamed(settings, events), folder);
  const shown = [...report.startingPictures, ...report.rounds.flatMap(({ images }) => images)];
  const side = settings.resolution;
  const pictures = new Map<string, Picture>(
    shown.map(({ image, sha256 }) => [
      image,
      { src: pictureUrl(id, image, { side: 160, version: sha256 }), width: side, height: side },
    ]),
  );
  const judged = judging && (await judgedFiles(folder, report, { fromSamples: judging.samples !== undefined, events }));
  const exam = await readExam(folder).catch(() => undefined);
  return html`${exam && examSection(exam)}${rest({ report, pictures, provenance, judged })}`.text;
}
