import { mean } from "../../reward/statistics.ts";
import type { RoundEvent, RoundImage } from "../../runs/events.ts";
import { html, type Html } from "../html.ts";
import type { ReportView } from "../view.ts";
import { image, short } from "./pictures.ts";

/** The rounds whose pictures are shown: the first, the middle one and the last. */
export function shownRounds(rounds: readonly RoundEvent[]): RoundEvent[] {
  const places = new Set([0, Math.floor(rounds.length / 2), rounds.length - 1]);
  return rounds.filter((_, place) => places.has(place));
}

/** What the model drew to train with: every round's alignments, and some rounds' pictures. */
export function rounds(list: readonly RoundEvent[], pictures: ReportView["pictures"]): Html {
  const uses = [...new Set(list.flatMap(({ images }) => images.map(({ use }) => use)))];
  return html`<table class="numbers">
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">pictures</th>
          <th scope="col">ALIGN-I</th>
          <th scope="col">ALIGN-T</th>
        </tr>
      </thead>
      <tbody>
        ${list.flatMap(({ step, images }) =>
          uses.map((use) =>
            row(
              step,
              uses.length > 1 ? use : "",
              images.filter((each) => each.use === use),
            ),
          ),
        )}
      </tbody>
    </table>
    ${shownRounds(list).map(
      ({ step, images }) =>
        html`<h3>${step === 0 ? "start" : `step ${step}`}</h3>
          <div class="negatives">${figures(images, uses.length > 1, pictures)}</div>`,
    )}`;
}

function row(step: number, use: string, images: readonly RoundImage[]): Html {
  return html`<tr>
    <th scope="row">${step === 0 ? "start" : step}${use !== "" && html` ${use}`}</th>
    <td>${images.length}</td>
    <td>${short(mean(images.map(({ alignI }) => alignI)))}</td>
    <td>${short(mean(images.map(({ alignT }) => alignT)))}</td>
  </tr>`;
}

function figures(images: readonly RoundImage[], withText: boolean, pictures: ReportView["pictures"]): Html {
  const captionOf = ({ prompt, text = prompt }: RoundImage) => (withText ? text : prompt);
  const captions = [...new Set(images.map(captionOf))];
  return html`${captions.map(
    (caption) =>
      html`<figure>
        <figcaption>${caption}</figcaption>
        <ul>
          ${images.filter((each) => captionOf(each) === caption).map((each) => roundPicture(each, pictures))}
        </ul>
      </figure>`,
  )}`;
}

function roundPicture({ image: file, prompt, alignI, alignT }: RoundImage, pictures: ReportView["pictures"]): Html {
  const picture = pictures.get(file);
  return html`<li>
    ${picture === undefined ? html`<span class="missing">no picture</span>` : image(picture, prompt)}
    <small>I ${short(alignI)} T ${short(alignT)}</small>
  </li>`;
}
