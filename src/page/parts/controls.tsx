import type { RunRequest } from "../../runs/requests.ts";
import { send } from "../ask.ts";
import { attempt } from "../notice.tsx";
import type { RunStore } from "../run-store.ts";

/** What can be asked of the run's process, whoever started it. */
export function Controls({ store }: { readonly store: RunStore }) {
  const view = store.view.value;
  if (view === undefined || !view.facts.live) return null;
  const ask = (what: RunRequest, done: string) =>
    attempt(() => send("POST", `/api/runs/${store.id}/ask`, { ask: what }), done);
  const { asked } = view.facts;
  return (
    <p class="controls">
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
