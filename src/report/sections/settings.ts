import { html, type Html } from "../html.ts";
import type { Status } from "../report.ts";
import type { ReportView } from "../view.ts";

/** What became of the run, in words. */
export function statusText({ kind, step, ...rest }: Status, run: string): string {
  switch (kind) {
    case "patience":
      return `stopped at step ${step}: the reward no longer rose`;
    case "steps":
      return `finished: all ${step} steps`;
    case "interrupted":
      return `interrupted at step ${step}; rpo train --resume --output ${run} continues it`;
    case "running":
      return `at step ${step} when this page was made, running or killed`;
    case "error":
      return `failed at step ${step}: ${"message" in rest ? rest.message : ""}`;
  }
}

type Row = readonly [name: string, value: string | number];

/** Every setting, grouped, and what the run was made with. */
export function settings({ report, provenance }: ReportView): Html {
  const s = report.settings;
  const lora = s.adapter === "lora" ? `LoRA of ${s.targets}, rank ${s.rank}, alpha ${s.loraAlpha}` : "all of the U-Net";
  const groups: readonly (readonly [title: string, rows: readonly Row[]])[] = [
    [
      "Subject",
      [
        ["class", s.class],
        ["token", s.token],
        ["photos", s.images],
        ...(s.holdOut === undefined ? [] : [["held out", s.holdOut] as const]),
        ["crop", s.crop],
        ["resolution", `${s.resolution} px`],
      ],
    ],
    [
      "Model",
      [
        ["model", s.model],
        ...(s.variant === undefined ? [] : [["variant", s.variant] as const]),
        ["reward", s.reward],
        ["trains", lora],
        ["learning rate", s.learningRate],
        ["steps at most", s.steps],
      ],
    ],
    [
      "Preference",
      s.preference
        ? [
            ["β", s.beta],
            ["photo's prompt", s.condition],
            ["labels", s.labels],
            ["reward scale", s.rewardScale],
            ["negatives a prompt", s.negatives],
          ]
        : [["preference", "none: photos alone (L_sim)"]],
    ],
    [
      "Validation",
      [
        ["λ", s.lambda],
        ["every", `${s.validateEvery} steps`],
        ["pictures a prompt", s.validationImages],
        ["sampler", `${s.sampler}, ${s.validationSteps} steps`],
        ["guidance", s.guidance],
        ["patience", s.earlyStopping ? `${s.patience} validations` : "no early stopping"],
        ["prompts", s.prompts ?? "the authors' eight"],
      ],
    ],
    [
      "Made with",
      [
        ["rpo", provenance.versions.rpo],
        ["ONNX Runtime", provenance.versions.onnxruntime],
        ["Node", `${provenance.versions.node}, ${provenance.versions.platform}`],
        ["threads, seed", `${s.threads}, ${s.seed}`],
        ["device, memory", `${s.device}, ${s.memory}`],
        ["seconds a step", report.seconds.perStep.toFixed(2)],
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
