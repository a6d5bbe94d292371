import { useMemo } from "preact/hooks";
import { liveParts, type LivePart } from "../../report/sections/live.ts";
import type { LiveData } from "../../report/view.ts";
import { html, type Html } from "../../report/html.ts";
import type { RunView } from "../../server/api.ts";
import { pictureUrl } from "../../server/urls.ts";
import { Charts } from "../parts/charts.tsx";
import { CursorBar } from "../parts/cursor-bar.tsx";
import { layoutOf } from "../parts/grid.tsx";
import { Markup } from "../parts/markup.tsx";
import type { RunStore } from "../run-store.ts";
import { Blind } from "./blind.tsx";
import { Checkpoints } from "./checkpoints.tsx";
import { Keep } from "./keep.tsx";

/** Which checkpoint to keep: what a lambda chooses, and what somebody sees. */
export function Choose({ store }: { readonly store: RunStore }) {
  const view = store.view.value;
  const validations = store.validations.value;
  const lambda = store.lambda.value ?? view?.settings.lambda ?? 0.5;
  const available = view?.facts.checkpoints.map(({ step }) => step).join() ?? "";
  const data = useMemo(
    () => (view === undefined ? undefined : dataOf(view, store, available)),
    [view?.folder, validations, available],
  );
  const parts = useMemo(
    () => (data === undefined || view === undefined ? undefined : liveParts(data, lambda, sourceOf(view, store.id))),
    [data, lambda],
  );
  if (view === undefined) return null;
  if (parts === undefined) return <p class="hint">Nothing has been validated yet.</p>;
  return (
    <>
      <CursorBar store={store} />
      <section id="choice">
        <h2>What a λ chooses</h2>
        <p>
          A small λ favours the prompt, a large one the likeness. Every validation kept both alignments of every
          picture, so any λ can be chosen now.
        </p>
        <Slider store={store} lambda={lambda} own={view.settings.lambda} />
        <Ranges store={store} of={parts.ranges} />
        <Markup of={parts.choice} class="choice" />
        <Keep store={store} lambda={lambda} />
        <div class="charts">
          <Charts store={store} class="chart-alone" of={figure(parts, "reward")} />
          <Charts store={store} class="chart-alone" of={figure(parts, "frontier")} />
        </div>
        <h3>From the same noise: starting model, chosen checkpoint</h3>
        <Markup of={parts["before-after"]} class="pairs" />
        <details>
          <summary>The numbers</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label="Numbers">
            <Markup of={parts.numbers} />
          </div>
        </details>
      </section>
      <Blind store={store} />
      <Checkpoints store={store} />
    </>
  );
}

const CAPTIONS: Readonly<Partial<Record<LivePart, string>>> = {
  reward: "Mean reward of the validation pictures at this λ, ± one standard error.",
  frontier:
    "Each dot is a validation. Along the dashed curve the two means balance as at the chosen checkpoint for this λ.",
};

function figure(parts: Readonly<Record<LivePart, Html>>, part: LivePart): Html {
  return html`<figure>
    ${parts[part]}
    <figcaption>${CAPTIONS[part]}</figcaption>
  </figure>`;
}

function dataOf(view: RunView, store: RunStore, available: string): LiveData {
  const validations = store.validations.value;
  const { prompts } = layoutOf(view.state.validations[0], view.settings.validationImages);
  return {
    run: view.folder,
    lambda: view.settings.lambda,
    scale: store.scale.value,
    validations,
    shown: validations.map(({ step }) => step),
    available: available.split(",").map(Number),
    prompts,
    companions: [],
  };
}

function sourceOf({ state }: RunView, id: string) {
  return (step: number, index: number): string | undefined => {
    const image = state.validations.find((each) => each.step === step)?.images[index];
    return image && pictureUrl(id, image.image, { side: 320, version: image.sha256 });
  };
}

function Slider({ store, lambda, own }: { readonly store: RunStore; readonly lambda: number; readonly own: number }) {
  return (
    <div class="slider">
      <label for="lambda">
        λ = <output>{lambda.toFixed(2)}</output>
      </label>
      <input
        type="range"
        id="lambda"
        min={0}
        max={1}
        step={0.01}
        value={lambda}
        aria-describedby="lambda-ends"
        onInput={({ currentTarget }) => (store.lambda.value = Number(currentTarget.value))}
      />
      <div id="lambda-ends">
        <span>0: the prompt</span>
        <span>the run's own: {own}</span>
        <span>1: the photos</span>
      </div>
    </div>
  );
}

/** The report's buttons for every step that some lambda chooses. */
function Ranges({ store, of }: { readonly store: RunStore; readonly of: Html }) {
  const onClick = ({ target }: MouseEvent): void => {
    const lambda =
      target instanceof Element ? target.closest<HTMLElement>("[data-lambda]")?.dataset["lambda"] : undefined;
    if (lambda !== undefined) store.lambda.value = Number(lambda);
  };
  return (
    <div onClick={onClick}>
      <Markup of={of} class="ranges" />
    </div>
  );
}
