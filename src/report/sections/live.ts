import { frontierChart } from "../charts/frontier.ts";
import { plusMinus } from "../charts/marks.ts";
import { rewardChart } from "../charts/reward.ts";
import { bestStep, choices } from "../../reward/choice.ts";
import { isNothing, isSignificant, judge, LEAST_REWARD, type Judged } from "../../reward/judged.ts";
import { inWords } from "../../reward/words.ts";
import { html, Html } from "../html.ts";
import type { LiveData } from "../view.ts";

/** The parts of the page that depend on lambda, by the name of the element that holds each; drawn first here, later by the page's script. */
export type LivePart = "choice" | "ranges" | "reward" | "frontier" | "before-after" | "numbers";

/** The source of a validation picture: picture `index` of validation `step`. */
export type PictureSource = (step: number, index: number) => string | undefined;

/** Draws every live part for one lambda. @returns nothing where the run has not been validated yet */
export function liveParts(
  data: LiveData,
  lambda: number,
  source: PictureSource,
): Readonly<Record<LivePart, Html>> | undefined {
  const judged = judge(data.validations, lambda, data.scale);
  const best = bestStep(data.validations, lambda, data.scale);
  const chosen = judged.find(({ step }) => step === best?.step);
  if (chosen === undefined) return undefined;
  const companions = data.companions.map(({ label, validation }) => {
    const [start] = data.validations;
    return { label, judged: judge([start, validation], lambda, data.scale)[1] };
  });
  return {
    choice: choice(data, chosen, lambda),
    ranges: ranges(data, chosen),
    reward: rewardChart(judged, lambda, chosen.step),
    frontier: frontierChart(judged, companions, { lambda, form: data.scale.form, chosen }),
    "before-after": beforeAfter(data, chosen, source),
    numbers: numbers([...judged.map((each) => ({ label: String(each.step), judged: each })), ...companions], chosen),
  };
}

const NOT_KEPT = "This checkpoint was not kept (full fine-tuning keeps those that are best for lambdas .1 to .9).";

/** The chosen checkpoint in figures. */
function choice(
  { run, available, absence = NOT_KEPT }: LiveData,
  { step, reward, gain, alignI, alignT, progress }: Judged,
  lambda: number,
): Html {
  const kept = step === 0 || available.includes(step);
  const significant = isSignificant(gain);
  return html`<dl class="figures">
      <div>
        <dt>checkpoint</dt>
        <dd>${step === 0 ? "start" : `step ${step}`}</dd>
      </div>
      <div>
        <dt>reward</dt>
        <dd>${reward.mean.toFixed(3)} <small>± ${reward.standardError.toFixed(3)}</small></dd>
      </div>
      <div>
        <dt>against the start</dt>
        <dd>
          ${step === 0 ? "–" : html`${gain.mean < 0 ? "−" : "+"}${Math.abs(gain.mean).toFixed(3)} <small>± ${gain.standardError.toFixed(3)}</small>`}
        </dd>
      </div>
      <div>
        <dt>ALIGN-I, photos</dt>
        <dd>${alignI.mean.toFixed(3)}</dd>
      </div>
      <div>
        <dt>ALIGN-T, prompt</dt>
        <dd>${alignT.mean.toFixed(3)}</dd>
      </div>
    </dl>
    ${progress && step > 0 && html`<p class="words">It ${inWords(progress)}.</p>`}
    <p class="hint">
      ${
        step === 0
          ? "At this lambda no checkpoint is better than the starting model."
          : isNothing(gain)
            ? `The gain is less than ${LEAST_REWARD}: no better than the starting model.`
            : significant
              ? "The gain is more than twice its standard error."
              : "The gain is less than twice its standard error: it may be chance."
      }
      ${kept ? html`<code>rpo select ${run} --lambda ${lambda}</code>` : absence}
    </p>`;
}

/** A button for every step that some lambda chooses. */
function ranges({ validations, scale }: LiveData, chosen: Judged): Html {
  return html`${choices(validations, scale).map(
    ({ step, from, to }) =>
      html`<button
        type="button"
        class="range"
        data-lambda="${((from + to) / 2).toFixed(2)}"
        aria-pressed="${step === chosen.step ? "true" : "false"}"
      >
        <b>${step === 0 ? "start" : `step ${step}`}</b> λ ${from === to ? from : `${from} to ${to}`}
      </button>`,
  )}`;
}

/** For every prompt, a picture of the starting model, those of other runs and the chosen checkpoint's, from the same noise. */
function beforeAfter({ validations, prompts, companions }: LiveData, chosen: Judged, source: PictureSource): Html {
  const each = validations[0].images.length / prompts.length;
  const start = validations[0].step;
  const startName = start === 0 ? "starting model" : `step ${start}`;
  return html`${prompts.map((prompt, p) => {
    const index = p * each;
    return html`<figure class="pair">
      ${picture(source(start, index), `${prompt}, ${startName}`)}${companions.map(({ label, pictures }) => picture(pictures?.[p], `${prompt}, ${label}`))}${picture(source(chosen.step, index), `${prompt}, step ${chosen.step}`)}
      <figcaption>${prompt}</figcaption>
    </figure>`;
  })}`;
}

function picture(src: string | undefined, alt: string): Html {
  return src === undefined ? html`<span class="missing">no picture</span>` : html`<img src="${src}" alt="${alt}" />`;
}

/** The charts' numbers as a table. */
function numbers(rows: readonly { readonly label: string; readonly judged: Judged }[], chosen: Judged): Html {
  const hasProgress = rows.some(({ judged }) => judged.progress !== undefined);
  return html`<table class="numbers">
    <thead>
      <tr>
        <th scope="col">step</th>
        <th scope="col">reward</th>
        <th scope="col">against the start</th>
        <th scope="col">ALIGN-I</th>
        <th scope="col">ALIGN-T</th>
        ${hasProgress && new Html('<th scope="col">likeness</th><th scope="col">obedience</th>')}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ label, judged }) =>
          html`<tr class="${judged === chosen ? "chosen" : ""}">
            <th scope="row">${label}</th>
            <td>${plusMinus(judged.reward)}</td>
            <td>${plusMinus(judged.gain)}</td>
            <td>${plusMinus(judged.alignI)}</td>
            <td>${plusMinus(judged.alignT)}</td>
            ${
              judged.progress &&
              html`<td>${plusMinus(judged.progress.likeness)}</td>
                <td>${plusMinus(judged.progress.obedience)}</td>`
            }
          </tr>`,
      )}
    </tbody>
  </table>`;
}
