import { createHash } from "node:crypto";
import { embeddedPart } from "../checkpoints/embedded.ts";
import { judge } from "../reward/judged.ts";
import { html, Html, json } from "./html.ts";
import { liveParts, type LivePart } from "./sections/live.ts";
import * as METHODS from "../methods/index.ts";
import type { MethodReport } from "../settings/method-entry.ts";
import type { RewardForm } from "../settings/reward-form.ts";
import { methodEntry } from "../settings/learning.ts";
import { subjectNames, subjectsOf } from "../settings/subjects.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { valuesOf } from "../settings/setting.ts";
import { examSection } from "./sections/exam.ts";
import { judgedFiles } from "./sections/judged.ts";
import { rounds } from "./sections/rounds.ts";
import { photos, startingPictures, validationGrid } from "./sections/pictures.ts";
import { settings, statusText } from "./sections/settings.ts";
import { alignmentFigure, chartsOf, curveFigures, type CurveOf } from "./sections/curves.ts";
import type { StepEvent } from "../runs/events.ts";
import { liveData, type ReportView } from "./view.ts";

/** The page's style and script, which stand in it word for word. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

/**
 * The report as one HTML document that needs nothing else: pictures are data URIs, and its content security policy allows the one style and
 * the one script by their hashes, pictures from data, and no request at all.
 */
export function renderReport(view: ReportView, { style, script }: PageAssets): string {
  const { settings: chosen } = view.report;
  const policy = `default-src 'none'; img-src data:; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  const title = subjectNames(subjectsOf(chosen));
  return html`${new Html("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}: RPO report</title>
        ${raw("style", style)}
      </head>
      <body>
        ${header(view)}
        <main>${sections(view)}</main>
        <footer>
          Made by rpo ${view.provenance.versions.rpo} on ${view.madeAt.toISOString().slice(0, 16).replace("T", " ")} UTC
          from <code>${view.run}</code>
        </footer>
        <dialog id="viewer" aria-label="Picture">
          <figure>
            <figcaption><b></b><br /><span></span></figcaption>
          </figure>
          <form method="dialog">
            <button type="button" id="previous">← earlier</button><button type="button" id="next">later →</button
            ><button>close</button>
          </form>
        </dialog>
        <script type="application/json" id="data">
          ${json(liveData(view))}
        </script>
        ${raw("script", script)}
      </body>
    </html> `.text;
}

/** An element whose content stands in it to the letter, as its hash demands. */
function raw(element: "style" | "script", content: string): Html {
  return new Html(`<${element}>${content}</${element}>`);
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** What a run trained, in a few words. */
function trainedIn({ method, adapter }: TrainSettings): string {
  const { trains } = methodEntry(method);
  return trains?.what ?? (adapter === "lora" ? "a LoRA" : "the whole U-Net");
}

function header({ run, report, photos: list, damaged, judged }: ReportView): Html {
  const { settings: s, status } = report;
  const subjects = subjectsOf(s).map(
    ({ token, class: className }, i) => html`${i > 0 && html` and `}a <em>${token}</em> ${className}`,
  );
  return html`<header>
    <div class="bar">
      <span class="brand">rpo</span>
      <span class="status ${status.kind}"
        >${statusText(status, { run, steps: s.steps, judged: judged !== undefined })}</span
      >
      <button type="button" id="theme" hidden>theme: system</button>
    </div>
    <h1>${subjects}</h1>
    <p class="lead">
      ${
        judged === undefined
          ? html`${METHODS[s.method].report.title(valuesOf(s))} from ${list.length} photos, ${trainedIn(s)}, run`
          : html`${checkpointsOf(report)} of another program, judged by ${list.length} photos, run`
      }
      <code>${run}</code>
    </p>
    ${photos(list)} ${damaged.length > 0 && html`<p class="hint">${damagedText(damaged)}</p>`}
    ${
      embeddedPart(s.model) !== undefined &&
      html`<p class="hint">
        The model is rpo's embedded miniature, which knows a small rendered world and nothing else: it shows how
        training behaves, and cannot draw what is on real photos.
      </p>`
    }
  </header>`;
}

/** "12 checkpoints" */
function checkpointsOf({ validations }: ReportView["report"]): string {
  const count = validations.filter(({ step }) => step > 0).length;
  return count === 1 ? "1 checkpoint" : `${count} checkpoints`;
}

/** Which pictures are left out, and why. */
export function damagedText(damaged: readonly string[]): string {
  const more = damaged.length > 3 ? ` and ${damaged.length - 3} more` : "";
  return `Left out, as they are no longer what the run wrote: ${damaged.slice(0, 3).join(", ")}${more}`;
}

function sections(view: ReportView): Html {
  const { report } = view;
  if (report.validations.length === 0)
    return html`<section>
        <h2>Which checkpoint</h2>
        <p class="hint">Nothing has been validated yet.</p>
      </section>
      ${training(view)}${rest(view)}`;
  return html`${choiceSection(view)}${view.exam && examSection(view.exam)}${training(view)}${validationSection(view)}${rest(view)}`;
}

const REWARD_TEXT: Readonly<Record<RewardForm, Html>> = {
  harmonic: html`The reward weighs likeness to the photos (ALIGN-I) against obedience to the prompt (ALIGN-T): r = 1 /
  (λ / ALIGN-I + (1 − λ) / ALIGN-T).`,
  calibrated: html`The reward weighs likeness against obedience: r = 1 / (λ / likeness + (1 − λ) / obedience). Likeness
  is 0 for the starting model and 1 where pictures are as like the photos as these are to each other; obedience is 1 for
  the starting model and 0 for a copy of the photos. Prompts that repaint the subject do not count for the likeness.`,
};

/** What the pictures are compared with: the starting model's, or the first that the trainer drew. */
function startName({ report: { validations } }: ReportView): string {
  const first = validations.at(0)?.step ?? 0;
  return first === 0 ? "starting model" : `step ${first}`;
}

/** The slider and all that hangs on it. */
function choiceSection(view: ReportView): Html {
  const data = liveData(view);
  const steps = new Map(view.report.validations.map((validation) => [validation.step, validation]));
  const parts = liveParts(data, data.lambda, (step, index) => {
    const file = steps.get(step)?.images[index].image;
    return file === undefined ? undefined : view.pictures.get(file)?.src;
  });
  const slot = (part: LivePart, kind = "") => html`<div id="live-${part}" class="${kind}">${parts?.[part]}</div>`;
  return html`<section id="choice">
    <h2>Which checkpoint</h2>
    <p>
      ${REWARD_TEXT[data.scale.form]} A small λ favours the prompt, a large one the likeness. Every validation kept both
      alignments of every picture, so any λ can be chosen now.
    </p>
    <div class="slider" hidden>
      <label for="lambda">λ</label> = <output id="lambda-value" for="lambda">${data.lambda}</output>
      <input
        type="range"
        id="lambda"
        min="0"
        max="1"
        step="0.01"
        value="${data.lambda}"
        aria-describedby="lambda-ends"
      />
      <div id="lambda-ends">
        <span>0: the prompt</span><span>the run's own: ${data.lambda}</span><span>1: the photos</span>
      </div>
    </div>
    ${slot("ranges", "ranges")}${slot("choice", "choice")}
    <div class="charts">
      <figure>
        ${slot("reward")}
        <figcaption>
          Mean reward of the validation pictures, ± one standard error. The same prompts and noises every time, so
          differences are more certain than the bars.
        </figcaption>
      </figure>
      <figure>
        ${slot("frontier")}
        <figcaption>
          Each dot is a validation. Along the dashed curve the two means balance as at the chosen checkpoint for this
          λ${data.scale.form === "harmonic" && "; the reward itself is averaged picture by picture"}.
        </figcaption>
      </figure>
    </div>
    <h3>
      From the same noise:
      ${[startName(view), ...data.companions.map(({ label }) => label), "chosen checkpoint"].join(", ")}
    </h3>
    ${slot("before-after", "pairs")}
    <details>
      <summary>The numbers</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Numbers">${slot("numbers")}</div>
    </details>
  </section>`;
}

function training(view: ReportView): Html {
  const { report, judged } = view;
  const { steps, settings: s, validations } = report;
  if (judged !== undefined) return judgedFiles(view, judged);
  if (steps.length === 0)
    return html`<section>
      <h2>Training</h2>
      <p class="hint">No step has been taken yet.</p>
    </section>`;
  const names = new Set(steps.flatMap(({ curves }) => Object.keys(curves)));
  const [own, others] = chartsOf(METHODS[s.method].report.charts(valuesOf(s)), names);
  const curve: CurveOf<StepEvent> =
    (name) =>
    ({ curves }) =>
      curves[name] ?? NaN;
  return html`<section>
    <h2>Training</h2>
    <div class="charts">
      ${validations.length > 0 && alignmentFigure(judge(validations, s.lambda, report.scale))}
      ${curveFigures(steps, own, curve)}
    </div>
    ${
      others.length > 0 &&
      html`<details>
        <summary>More curves</summary>
        <div class="charts">${curveFigures(steps, others, curve)}</div>
      </details>`
    }
  </section>`;
}

function validationSection(view: ReportView): Html {
  return html`<section>
    <h2>Validation</h2>
    <p>
      ${view.judged?.fromSamples === true ? "Every row shows one prompt, as the trainer drew it." : "Every row draws one prompt from one starting noise, so that a difference is the training's doing."}
      Under each picture stand its reward at the chosen λ, ALIGN-I and ALIGN-T; a click enlarges it.
    </p>
    ${validationGrid(view)}
  </section>`;
}

/** What is told of a run beside its training: the pictures that it trained with, and its settings. */
export function rest(view: Pick<ReportView, "report" | "pictures" | "provenance" | "judged">): Html {
  const { startingPictures: drawn, settings: settingsOfRun } = view.report;
  const method: MethodReport = METHODS[settingsOfRun.method].report;
  const about = method.startingPictures?.(valuesOf(settingsOfRun));
  const ofRounds = method.rounds?.(valuesOf(settingsOfRun));
  return html`${
      drawn.length > 0 &&
      about !== undefined &&
      html`<section>
        <h2>${about.title}</h2>
        <p>${about.text}</p>
        ${startingPictures(drawn, view.pictures)}
      </section>`
    }
    ${
      view.report.rounds.length > 0 &&
      ofRounds !== undefined &&
      html`<section>
        <h2>${ofRounds.title}</h2>
        <p>${ofRounds.text}</p>
        ${rounds(view.report.rounds, view.pictures)}
      </section>`
    }
    <section>
      <h2>Settings</h2>
      ${settings(view)}
    </section>`;
}
