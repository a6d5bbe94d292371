import { moveStep, type RunStore } from "../run-store.ts";
import { short, stepName } from "../format.ts";

/** The one cursor over pictures and curves. */
export function CursorBar({ store }: { readonly store: RunStore }) {
  const view = store.view.value;
  if (view === undefined || store.version.value < 0) return null;
  const last = Math.max(view.state.last.step, store.validations.value.at(-1)?.step ?? 0);
  const at = store.cursor.value ?? last;
  const isLatest = store.cursor.value === undefined;
  return (
    <div class="cursor-bar">
      <button type="button" aria-label="previous validation" onClick={() => moveStep(store, -1)}>
        ←
      </button>
      <label class="cursor-step">
        <span>
          {at === 0 ? "start" : `step ${at}`}
          {store.shown.value !== at && <small> pictures of {stepName(store.shown.value)}</small>}
        </span>
        <input
          type="range"
          min={0}
          max={Math.max(1, last)}
          value={at}
          aria-label="step"
          aria-valuetext={at === 0 ? "start" : `step ${at}`}
          list="validated-steps"
          onInput={({ currentTarget }) => (store.cursor.value = Number(currentTarget.value))}
        />
      </label>
      <datalist id="validated-steps">
        {store.validations.value.map(({ step }) => (
          <option key={step} value={step} />
        ))}
      </datalist>
      <button type="button" aria-label="next validation" onClick={() => moveStep(store, 1)}>
        →
      </button>
      <button type="button" aria-pressed={isLatest} onClick={() => (store.cursor.value = undefined)}>
        latest
      </button>
      <Values store={store} at={at} />
    </div>
  );
}

/** The curves' values at the cursor. */
function Values({ store, at }: { readonly store: RunStore; readonly at: number }) {
  const { state, charts } = store.view.value ?? {};
  if (state === undefined || charts === undefined || at === 0) return null;
  const values = charts.flatMap(({ curve, label }) => {
    const value = state.curves[curve]?.[at - 1];
    return value === null || value === undefined ? [] : [{ label, value }];
  });
  return (
    <dl class="cursor-values">
      {values.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{Math.abs(value) < 10 ? short(value) : value.toPrecision(4)}</dd>
        </div>
      ))}
    </dl>
  );
}
