import { useState } from "preact/hooks";
import type { RunRequest } from "../../runs/requests.ts";
import type { RunFacts } from "../../server/api.ts";
import { send } from "../ask.ts";
import { attempt } from "../notice.tsx";
import type { RunStore } from "../run-store.ts";

/** What can be asked of a run: of its process, whoever started that, or of a new one that goes on with it. */
export function Controls({ store }: { readonly store: RunStore }) {
  const view = store.view.value;
  if (view === undefined || store.version.value < 0) return null;
  const { facts, state } = view;
  if (view.isJudged) return null;
  if (facts.live) return <Live store={store} facts={facts} />;
  const isFinished = state.last.type === "stop" && state.last.detail !== "interrupted";
  if (!isFinished) return <GoOn store={store} />;
  // where the reward no longer rose, more steps were there already
  return state.last.detail === "steps" ? <MoreSteps store={store} steps={view.settings.steps} /> : null;
}

function Live({ store, facts }: { readonly store: RunStore; readonly facts: RunFacts }) {
  const { asked, isValidationAsked } = facts;
  const ask = (what: RunRequest, done: string) =>
    attempt(() => send("POST", `/api/runs/${store.id}/ask`, { ask: what }), done);
  return (
    <p class="controls">
      <button
        type="button"
        disabled={isValidationAsked || asked === "stop"}
        onClick={() => void ask("validate", "It validates once the step at hand is done, and goes on.")}
      >
        Validate now
      </button>
      <button
        type="button"
        disabled={asked === "stop"}
        onClick={() => void ask("stop", "The step at hand is finished and saved, then it stops.")}
      >
        Stop now
      </button>
      <button
        type="button"
        disabled={asked !== undefined}
        onClick={() => void ask("stop-after-validation", "It stops after the next validation.")}
      >
        Stop after the next validation
      </button>
    </p>
  );
}

/** A run that was stopped, or whose process is gone. */
function GoOn({ store }: { readonly store: RunStore }) {
  const [isAsked, setAsked] = useState(false);
  const goOn = async (): Promise<void> => {
    setAsked(true);
    const isDone = await attempt(
      () => send("POST", `/api/runs/${store.id}/resume`, {}),
      "It is in the queue, and goes on when its turn comes.",
    );
    if (!isDone) setAsked(false);
  };
  return (
    <p class="controls">
      <button type="button" class="main" disabled={isAsked} onClick={() => void goOn()}>
        Go on
      </button>
    </p>
  );
}

/** A run that took all its steps is given more: it ends as if it had been begun for them. */
function MoreSteps({ store, steps }: { readonly store: RunStore; readonly steps: number }) {
  const [more, setMore] = useState(Math.max(1, Math.round(steps / 2)));
  const [isAsked, setAsked] = useState(false);
  const train = async (): Promise<void> => {
    setAsked(true);
    const isDone = await attempt(
      () => send("POST", `/api/runs/${store.id}/resume`, { steps: steps + more }),
      `It is in the queue, and trains on to step ${steps + more} when its turn comes.`,
    );
    if (!isDone) setAsked(false);
  };
  return (
    <form
      class="controls"
      onSubmit={(event) => {
        event.preventDefault();
        void train();
      }}
    >
      <label class="inline">
        <input
          type="number"
          min={1}
          max={1_000_000 - steps}
          value={more}
          aria-label="more steps"
          onInput={({ currentTarget }) => setMore(Math.max(1, Math.floor(Number(currentTarget.value))))}
        />{" "}
        more steps
      </label>
      <button type="submit" disabled={isAsked}>
        Train on
      </button>
    </form>
  );
}
