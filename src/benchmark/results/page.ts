import { createHash } from "node:crypto";
import { html, Html } from "../../report/html.ts";
import type { Picture } from "../../report/view.ts";
import { atEqualLikeness } from "./equal-likeness.ts";
import { benchFrontier, trainingChart } from "./charts.ts";
import { learningPaths, pathKeys, PATH_STYLE } from "./paths.ts";
import { PUBLISHED_SOURCE } from "./published.ts";
import { summarizeRows, type Line } from "./summary.ts";
import { likenessTables, tablesOf, type TextTable, type TitledTable } from "./tables.ts";
import type { BenchView, PictureGrid } from "./view.ts";

/** Added to the run report's style. */
const EXTRA = `.wide{overflow-x:auto}.wide td,.wide th{white-space:nowrap;padding:.25em .5em;text-align:right;line-height:1.15}
.wide th:first-child,.wide td:first-child{text-align:left}.published{color:var(--soft);font-style:italic}
.compare img{max-width:none;width:96px;height:96px;object-fit:contain;image-rendering:pixelated}.compare th,.compare td{padding:.2em .4em;font-weight:normal;text-align:center}
.compare th:first-child{text-align:left;white-space:normal;min-width:14ch;max-width:24ch}.compare p{display:flex;flex-wrap:wrap;gap:.3em}`;

/** A benchmark's page: one HTML document that needs nothing else. @param style of the run's report */
export function renderBench(view: BenchView, style: string): string {
  const css = style + EXTRA + PATH_STYLE;
  const hash = createHash("sha256").update(css).digest("base64");
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const lines = summarizeRows(view.rows);
  const subjects = new Set(view.rows.map(({ subject }) => subject)).size;
  return html`${new Html("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${view.name}: RPO benchmark</title>
        ${new Html(`<style>${css}</style>`)}
      </head>
      <body>
        <header>
          <div class="bar"><span class="brand">rpo</span></div>
          <h1>${view.name}</h1>
          <p class="lead">
            ${subjects} subject${subjects === 1 ? "" : "s"}, ${view.rows.length} rows. ${view.settings ?? ""}
          </p>
        </header>
        <main>
          ${benchTable(lines, view.name)}
          ${
            view.curves.some(({ trainedBy }) => trainedBy === "rpo") &&
            html`<section>
              <h2>Over training</h2>
              <p>
                The validations' reward and its two parts, mean of the subjects and seeds:
                <span class="key align-i">L_sim + L_pref</span>, <span class="key align-t">L_sim alone</span>.
              </p>
              <div class="charts">
                ${(["reward", "alignI", "alignT"] as const).map((each) => html`<figure>${trainingChart(view.curves, each)}</figure>`)}
              </div>
            </section>`
          }
          ${benchFrontiers(lines)}
          ${
            view.curves.length > 0 &&
            html`<section>
              <h2>Likeness against obedience, over training</h2>
              <p>
                From the model before training, the ring, to the last step: each method's validations, judged by the
                reward's model, mean of the subjects and seeds. ${pathKeys(view.curves)}
              </p>
              <div class="charts"><figure>${learningPaths(view.curves)}</figure></div>
            </section>`
          }
          ${likenessTables(atEqualLikeness(view.curves)).map(titled)}
          <section>
            <h2>Pictures</h2>
            <p>Each row draws one prompt from one starting noise with every method.</p>
            ${view.grids.map(grid)}
          </section>
        </main>
        <footer>Made by rpo on ${view.madeAt.toISOString().slice(0, 16).replace("T", " ")} UTC</footer>
      </body>
    </html> `.text;
}

/** The tables with what is to be known of them. */
export function benchTable(lines: readonly Line[], name: string): Html {
  return html`${tablesOf(lines, { intervals: true, name }).map(titled)}`;
}

function titled({ heading, table: cells, notes }: TitledTable): Html {
  return html`<section>
    <h2>${heading ?? "Table"}</h2>
    ${table(cells)} ${notes.map((note) => html`<p>${note}</p>`)}
  </section>`;
}

/** Where each line of the table stands between likeness and obedience, by the reward's model and by others. */
export function benchFrontiers(all: readonly Line[]): Html {
  const lines = all.filter(({ budget }) => budget === undefined);
  return html`<section>
    <h2>Likeness against obedience</h2>
    <p>Each dot is a line of the first table; the lambdas of rpo are joined. Above and to the right is better.</p>
    <div class="charts">
      <figure>${benchFrontier(lines, "alignI", "alignT")}</figure>
      <figure>${benchFrontier(lines, "dino", "clipT")}</figure>
    </div>
  </section>`;
}

function table({ head, ours, published }: TextTable): Html {
  const row = (cells: readonly string[]) => cells.map(cellOf);
  return html`<div class="wide" tabindex="0" role="region" aria-label="Table">
    <table>
      <thead>
        <tr>
          ${head.map((cell) => html`<th>${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${ours.map(
          (cells) =>
            html`<tr>
              ${row(cells)}
            </tr>`,
        )}
      </tbody>
      ${
        published.length > 0 &&
        html`<tbody class="published" title="${PUBLISHED_SOURCE}">
          ${published.map(
            (cells) =>
              html`<tr>
                ${row(cells)}
              </tr>`,
          )}
        </tbody>`
      }
    </table>
  </div>`;
}

/** The interval under its figure, so that all columns fit. */
function cellOf(text: string): Html {
  const at = text.indexOf(" [");
  return at < 0
    ? html`<td>${text}</td>`
    : html`<td>${text.slice(0, at)}<br /><small>${text.slice(at + 1)}</small></td>`;
}

function grid({ subject, photos, columns, rows }: PictureGrid): Html {
  return html`<h3>${subject}</h3>
    <div class="wide compare" tabindex="0" role="region" aria-label="Pictures of ${subject}">
      ${photos.length > 0 && html`<p>${photos.map((photo) => image(photo, `photo of ${subject}`))}</p>`}
      <table>
        <thead>
          <tr>
            <th></th>
            ${columns.map((column) => html`<th>${column}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ prompt, pictures }) =>
              html`<tr>
                <th>${prompt}</th>
                ${pictures.map((picture, i) => html`<td>${picture && image(picture, `${prompt}, ${columns[i]}`)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function image({ src }: Picture, alt: string): Html {
  return html`<img src="${src}" alt="${alt}" />`;
}
