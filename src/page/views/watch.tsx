import { useMemo } from "preact/hooks";
import { bestStep } from "../../reward/choice.ts";
import { judge, type Judged } from "../../reward/judged.ts";
import { rewardChart } from "../../report/charts/reward.ts";
import { html, type Html } from "../../report/html.ts";
import { alignmentFigure, chartsOf, curveFigures } from "../../report/sections/curves.ts";
import type { RunView } from "../../server/api.ts";
import { Charts } from "../parts/charts.tsx";
import { CursorBar } from "../parts/cursor-bar.tsx";
import { Grid } from "../parts/grid.tsx";
import { Photos } from "../parts/photos.tsx";
import { useThrottled } from "../parts/throttle.ts";
import type { RunStore } from "../run-store.ts";

/** A run while it trains, or afterwards: its pictures and its curves, at one step. */
export function Watch({ store }: { readonly store: RunStore }) {
  const view = store.view.value;
  const lambda = view?.settings.lambda ?? 0.5;
  const judged = useMemo(
    () => judge(store.validations.value, lambda, store.scale.value),
    [store.validations.value, store.scale.value, lambda],
  );
  const chosen = bestStep(store.validations.value, lambda, store.scale.value)?.step;
  if (view === undefined) return null;
  return (
    <>
      <CursorBar store={store} />
      <Photos store={store} />
      <Grid store={store} chosen={chosen} />
      <section>
        <h2>Curves</h2>
        <Curves store={store} judged={judged} chosen={chosen ?? 0} />
      </section>
    </>
  );
}

function Curves({
  store,
  judged,
  chosen,
}: {
  readonly store: RunStore;
  readonly judged: readonly Judged[];
  readonly chosen: number;
}) {
  const view = store.view.value;
  // a long run's curves take some milliseconds to draw
  const steps = useThrottled(
    view?.state.seconds.length ?? 0,
    store.version.value,
    (view?.state.seconds.length ?? 0) > 3000 ? 1000 : 120,
  );
  const validated = useMemo(
    () =>
      judged.length === 0
        ? html``
        : html`<figure>
              ${rewardChart(judged, view?.settings.lambda ?? 0.5, chosen)}
              <figcaption>
                Mean reward of the validation pictures, ± one standard error. The same prompts and noises every time, so
                differences are more certain than the bars.
              </figcaption>
            </figure>
            ${alignmentFigure(judged)}`,
    [judged, chosen],
  );
  const [own, others] = useMemo(
    () => (view === undefined ? [html``, html``] : drawCurves(view, steps)),
    [view?.state, steps],
  );
  if (steps === 0 && judged.length === 0) return <p class="hint">No step has been taken yet.</p>;
  return (
    <>
      <Charts store={store} of={html`${validated}${own}`} />
      {others.text !== "" && (
        <details>
          <summary>More curves</summary>
          <Charts store={store} of={others} />
        </details>
      )}
    </>
  );
}

/** The method's own charts, and those of curves that it only names. */
function drawCurves({ state, charts }: RunView, count: number): readonly [Html, Html] {
  if (count === 0) return [html``, html``];
  const steps = Array.from({ length: count }, (_, i) => ({ step: i + 1 }));
  const curveOf = (name: string) => {
    const values = state.curves[name] ?? [];
    return ({ step }: { readonly step: number }) => values[step - 1] ?? NaN;
  };
  const [own, others] = chartsOf(charts, new Set(Object.keys(state.curves)));
  return [curveFigures(steps, own, curveOf), curveFigures(steps, others, curveOf)];
}
