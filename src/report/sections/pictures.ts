import { harmonicReward } from "../../reward/reward.ts";
import { html, type Html } from "../html.ts";
import { bucketText } from "../../images/buckets.ts";
import { shownPrompt } from "../../runs/shown-prompt.ts";
import type { StartingPictureReport, ValidationReport } from "../report.ts";
import type { Photo, Picture, ReportView } from "../view.ts";

/** The most starting noises of a prompt that the grid offers. */
export const MOST_NOISES = 4;

/** The subject's photos. */
export function photos(list: readonly Photo[]): Html {
  return html`<div class="photos">
    ${list.map(({ name, picture, bucket }) => {
      if (picture === undefined)
        return html`<span class="missing" title="${name}">${name}<br />not in the run’s folder</span>`;
      if (bucket === undefined) return image(picture, `photo ${name}`);
      return html`<figure>
        ${image(picture, `photo ${name}`)}
        <figcaption>${bucketText(bucket)}</figcaption>
      </figure>`;
    })}
  </div>`;
}

/** Prompts down, steps across: the same starting noise in every row. */
export function validationGrid({ report, pictures }: ReportView): Html {
  const { prompts, noises, settings } = report;
  const shown = report.validations.filter(({ step }) => report.shown.includes(step));
  const offered = Math.min(noises, MOST_NOISES);
  return html`${offered > 1 && noiseChoice(offered)}
    <div class="scroll" tabindex="0" role="region" aria-label="Validation pictures">
      <table class="grid">
        <thead>
          <tr>
            <td></td>
            ${shown.map(({ step, extra }) => html`<th scope="col" data-step="${step}">${step === 0 ? "start" : `step ${step}`}${extra && html` <small>extra</small>`}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${prompts.map(
            (prompt, p) =>
              html`<tr>
                <th scope="row"><span>${prompt}</span></th>
                ${shown.map((validation) => html`<td data-step="${validation.step}">${cells(validation, p * noises, offered, settings.lambda, pictures)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      report.validations.some(({ extra }) => extra === true) &&
      html`<p class="hint">
        Extra: somebody asked for this validation out of turn. It may be chosen; early stopping did not count it.
      </p>`
    }
    ${
      shown.length < report.validations.length &&
      html`<p class="hint">
        ${shown.length} of ${report.validations.length} validations are shown: the first, the last, those that some λ
        chooses and some between.
      </p>`
    }`;
}

function noiseChoice(count: number): Html {
  return html`<fieldset class="noise-choice">
    <legend>starting noise</legend>
    ${Array.from(
      { length: count },
      (_, i) =>
        html`<label><input type="radio" name="noise" value="${i}" ${i === 0 && html` checked`} /> ${i + 1}</label>`,
    )}
    <label><input type="radio" name="noise" value="all" /> all</label>
  </fieldset>`;
}

/** The pictures of one prompt at one step, one for each noise offered. */
function cells(
  { step, images }: ValidationReport,
  first: number,
  count: number,
  lambda: number,
  pictures: ReportView["pictures"],
): Html {
  return html`${images.slice(first, first + count).map((each, noise) => {
    const picture = pictures.get(each.image);
    return html`<figure
      class="cell"
      data-noise="${noise}"
      data-step="${step}"
      data-index="${first + noise}"
      data-i="${each.alignI}"
      data-t="${each.alignT}"
    >
      ${
        picture === undefined
          ? html`<span class="missing">no picture</span>`
          : html`<button
              type="button"
              class="zoom"
              data-caption="${shownPrompt(each)}"
              data-detail="step ${step}, seed ${each.seed}, ALIGN-I ${each.alignI.toFixed(3)}, ALIGN-T ${each.alignT.toFixed(3)}"
            >
              ${image(picture, `${shownPrompt(each)}, step ${step}`)}
            </button>`
      }
      <figcaption>
        <b class="reward">${short(harmonicReward(each, lambda))}</b> <span>I ${short(each.alignI)}</span>
        <span>T ${short(each.alignT)}</span>
      </figcaption>
    </figure>`;
  })}`;
}

/** The starting model's pictures, prompt by prompt. */
export function startingPictures(list: readonly StartingPictureReport[], pictures: ReportView["pictures"]): Html {
  const prompts = [...new Set(list.map(({ prompt }) => prompt))];
  return html`<div class="negatives">
    ${prompts.map(
      (prompt) =>
        html`<figure>
          <figcaption>${prompt}</figcaption>
          <ul>
            ${list.filter((each) => each.prompt === prompt).map((each) => startingPicture(each, pictures))}
          </ul>
        </figure>`,
    )}
  </div>`;
}

function startingPicture(drawn: StartingPictureReport, pictures: ReportView["pictures"]): Html {
  const { prompt, image: file, alignT } = drawn;
  const picture = pictures.get(file);
  return html`<li>
    ${picture === undefined ? html`<span class="missing">no picture</span>` : image(picture, prompt)}
    <small>${alignT !== undefined && html`ALIGN-T ${short(alignT)}<br />`}${useText(drawn)}</small>
  </li>`;
}

/** How often it was used, or the photo won. Sampled labels are 0 or 1, soft ones between. */
function useText({ uses, labels }: StartingPictureReport): string {
  if (uses === undefined) return "";
  if (uses === 0) return "not used yet";
  if (labels.length === 0) return `used ${uses} times`;
  const won = labels.reduce((sum, label) => sum + label, 0);
  return `photo ${Number.isInteger(won) ? won : won.toFixed(1)} of ${labels.length}`;
}

export function image({ src, width, height }: Picture, alt: string): Html {
  return html`<img
    src="${src}"
    width="${width}"
    height="${height}"
    alt="${alt}"
    ${width <= 128 && html` class="pixels"`}
  />`;
}

/** ".783" */
export function short(value: number): string {
  return value.toFixed(3).replace(/^0/, "");
}
