import { difference, isNothing, isSignificant } from "../../reward/judged.ts";
import { bestStep } from "../../reward/choice.ts";
import type { Estimate } from "../../reward/statistics.ts";
import { copiesOf } from "../../judging/verdict.ts";
import { html, type Html } from "../html.ts";
import type { JudgedFiles, ReportView } from "../view.ts";

/** The files that were judged: which step each is, what copies the photos, and which differences may be chance. */
export function judgedFiles({ report }: ReportView, { names, gone, closestI, fromSamples }: JudgedFiles): Html {
  const { validations, scale, settings } = report;
  const there = validations.filter(({ step }) => !gone.has(step));
  const best = validations.findIndex(({ step }) => step === bestStep(there, settings.lambda, scale)?.step);
  const rows = validations.map(({ step, images }, i) => {
    const copies = copiesOf(images, closestI);
    const behind = best < 0 || i === best ? undefined : difference(validations, [best, i], settings.lambda, scale);
    const words = behind === undefined ? (gone.size > 0 ? "the best that is there" : "the best") : distance(behind);
    const name = step === 0 ? "the starting model" : (names.get(step) ?? "not named");
    return html`<tr class="${i === best ? "chosen" : ""}">
      <th scope="row">${step === 0 ? "start" : `step ${step}`}</th>
      <td>${name}${gone.has(step) && ", no longer there"}</td>
      <td>${copies === undefined ? "–" : `${copies} of ${images.length}`}</td>
      <td>${words}</td>
    </tr>`;
  });
  return html`<section>
    <h2>Checkpoints</h2>
    <p>
      ${fromSamples ? "The pictures are the trainer's own." : "Every checkpoint drew the same prompts from the same noises."}
      A picture copies a photo when it is nearer to it than any two photos are to each other. A difference of less than
      two standard errors, at λ = ${settings.lambda}, may be chance.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Checkpoints">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">step</th>
            <th scope="col">file</th>
            <th scope="col">copies</th>
            <th scope="col">at λ = ${settings.lambda}</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** By how much the best is ahead of a checkpoint. */
export function distance({ mean, standardError }: Estimate): string {
  if (isNothing({ mean, standardError })) return "as good";
  const isAhead = mean < 0;
  const chance = isSignificant({ mean: Math.abs(mean), standardError }) ? "" : ", which may be chance";
  return `${Math.abs(mean).toFixed(3)} ± ${standardError.toFixed(3)} ${isAhead ? "ahead" : "behind"}${chance}`;
}
