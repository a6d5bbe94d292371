import { differencesOf, type ExamFile, type ExamRow } from "../../runs/exam-file.ts";
import { signed, type Estimate } from "../../reward/statistics.ts";
import { plusMinus } from "../charts/marks.ts";
import { html, type Html } from "../html.ts";

/** How the models of a demo did in the exam: by judges that neither trained nor chose. */
export function examSection(exam: ExamFile): Html {
  return html`<section id="exam">
    <h2>The exam</h2>
    <p>
      ${exam.pictures} pictures a model, of prompts that neither trained nor chose anything, judged by what the rendered
      world knows. Identity: 0 as the starting model, 1 as a real picture of the subject in the scene asked for.
      Obedience, and that of colours alone: 0 what the photos show of what was asked, 1 what a real picture of it does.
      Good: the share that shows what was asked, and this subject. The last rows compare pictures of the same noise,
      pair by pair.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="The exam">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">model</th>
            <th scope="col">step</th>
            <th scope="col">identity</th>
            <th scope="col">obedience</th>
            <th scope="col">of colours</th>
            <th scope="col">good</th>
          </tr>
        </thead>
        <tbody>
          ${exam.models.map((row) => rowOf(row, (value) => plusMinus(value, 2)))}
          ${differencesOf(exam).map((row) => rowOf(row, (value) => signed(value.mean, plusMinus(value, 2))))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function rowOf({ label, step, identity, obedience, colours, good }: ExamRow, text: (value: Estimate) => string): Html {
  return html`<tr>
    <th scope="row">${label}</th>
    <td>${step}</td>
    ${[identity, obedience, colours, good].map((value) => html`<td>${text(value)}</td>`)}
  </tr>`;
}
