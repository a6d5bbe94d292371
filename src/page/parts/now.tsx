import { bestStep } from "../../reward/choice.ts";
import type { RunView } from "../../server/api.ts";
import { duration, pace, size, stepName } from "../format.ts";
import type { RunStore } from "../run-store.ts";
import { phaseOf, timeLeft } from "./progress.ts";

/** What the run is at. */
export function Now({ store }: { readonly store: RunStore }) {
  const view = store.view.value;
  if (view === undefined || store.version.value < 0) return null;
  const { settings, state, facts } = view;
  const done = state.last.step;
  const best = bestStep(store.validations.value, settings.lambda, store.scale.value);
  const recent = state.seconds.slice(-20);
  const seconds = recent.reduce((sum, each) => sum + each, 0) / recent.length;
  const left = facts.live ? timeLeft(view) : undefined;
  return (
    <section class="now" aria-label="Now">
      <p class="phase">
        <span class={`status ${facts.live ? "live" : state.last.type}`} role="status">
          {phaseOf(view)}
        </span>
        <progress value={done} max={settings.steps} aria-label={`step ${done} of ${settings.steps}`} />
      </p>
      <dl class="facts">
        <Fact name="step" value={`${done} of ${settings.steps}`} />
        {recent.length > 0 && <Fact name="a step" value={pace(seconds)} />}
        {left !== undefined && <Fact name="left at most" value={duration(left)} />}
        {facts.memoryBytes !== undefined && <Fact name="memory" value={size(facts.memoryBytes)} />}
        <Fact name="device" value={deviceOf(view)} />
        {best !== undefined && <Fact name={`best at λ ${settings.lambda}`} value={stepName(best.step)} />}
        {facts.best?.chosenBy === "person" && <Fact name="kept by hand" value={stepName(facts.best.step)} />}
      </dl>
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function deviceOf({ settings: { device, precision } }: RunView): string {
  return precision === "float32" ? device : `${device}, ${precision}`;
}
