import { engineOf } from "../../runs/engine-name.ts";
import { endInWords } from "../../runs/end-words.ts";
import type { StepEvent } from "../../runs/events.ts";
import { rowsOf, type ReportRow } from "../../settings/rows.ts";
import { TRAIN } from "../../settings/train.ts";
import { html, type Html } from "../html.ts";
import type { Status } from "../report.ts";
import type { ReportView } from "../view.ts";

/** What became of the run, in words. */
export function statusText(
  { kind, step, ...rest }: Status,
  { run, steps, judged = false }: { readonly run: string; readonly steps: number; readonly judged?: boolean },
): string {
  if (judged && kind !== "error")
    return kind === "steps"
      ? "judged"
      : kind === "running"
        ? "judging, or killed"
        : "stopped; the same rpo judge goes on";
  switch (kind) {
    case "patience":
    case "loss":
    case "steps":
      return endInWords(kind, step, steps);
    case "interrupted":
      return `interrupted at step ${step}; rpo train --resume --output ${run} continues it`;
    case "running":
      return `at step ${step} when this page was made, running or killed`;
    case "error":
      return `failed at step ${step}: ${"message" in rest ? rest.message : ""}`;
  }
}

/** The group of settings that belongs to what the run was made with. */
const MACHINE = "Machine";

/** Groups of settings, and rows, that say how something was trained: of files that were judged, another program knows. */
const TRAINING = "Training";
const TRAINING_ROWS = ["every", "patience"];

/** In mixed precision, how many steps changed nothing because a gradient overflowed: the first ones, until the factor on the loss fits. */
export function passedOver(steps: readonly StepEvent[]): ReportRow[] {
  const scaled = steps.filter(({ lossScale }) => lossScale !== undefined);
  const overflowed = scaled.filter(({ gradNorm }) => gradNorm === undefined);
  return scaled.length === 0 ? [] : [["steps passed over", `${overflowed.length} of ${steps.length}, by an overflow`]];
}

/** Every setting, grouped, and what the run was made with. */
export function settings({ report, provenance, judged }: Pick<ReportView, "report" | "provenance" | "judged">): Html {
  const all = rowsOf(TRAIN, report.settings);
  const rows = judged === undefined ? all : withoutTraining(all);
  const { rpo, node, platform } = provenance.versions;
  const engine = engineOf(provenance.versions);
  const groups: readonly (readonly [title: string, rows: readonly ReportRow[]])[] = [
    ...[...rows].filter(([title]) => title !== MACHINE),
    [
      "Made with",
      [
        ["rpo", rpo],
        [engine.name, engine.version],
        ["Node", `${node}, ${platform}`],
        ...(rows.get(MACHINE) ?? []),
        ...(judged === undefined ? [["seconds a step", report.seconds.perStep.toFixed(2)] as const] : []),
        ...passedOver(report.steps),
      ],
    ],
  ];
  return html`<div class="settings">
      ${groups.map(
        ([title, rows]) =>
          html`<section>
            <h3>${title}</h3>
            <dl>
              ${rows.map(
                ([name, value]) =>
                  html`<div>
                    <dt>${name}</dt>
                    <dd>${value}</dd>
                  </div>`,
              )}
            </dl>
          </section>`,
      )}
    </div>
    <details>
      <summary>Fingerprints of the files</summary>
      <table class="hashes">
        <tbody>
          ${Object.entries(provenance.hashes).map(
            ([path, hash]) =>
              html`<tr>
                <th scope="row">${path}</th>
                <td><code>${hash}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </details>`;
}

function withoutTraining(all: ReadonlyMap<string, readonly ReportRow[]>): Map<string, readonly ReportRow[]> {
  const rest = [...all].filter(([title]) => title !== TRAINING);
  return new Map(rest.map(([title, rows]) => [title, rows.filter(([label]) => !TRAINING_ROWS.includes(label))]));
}
