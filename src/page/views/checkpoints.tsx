import { useRef, useState } from "preact/hooks";
import { send } from "../ask.ts";
import { size, stepName } from "../format.ts";
import { attempt } from "../notice.tsx";
import type { RunStore } from "../run-store.ts";

/** The checkpoints on the disk; those that are not kept can be deleted. */
export function Checkpoints({ store }: { readonly store: RunStore }) {
  const [marked, mark] = useState<readonly number[]>([]);
  const dialog = useRef<HTMLDialogElement>(null);
  const view = store.view.value;
  if (view === undefined || view.facts.checkpoints.length === 0) return null;
  const { checkpoints, best, live } = view.facts;
  const others = checkpoints.filter(({ step }) => step !== best?.step);
  const chosen = others.filter(({ step }) => marked.includes(step));
  const bytes = chosen.reduce((sum, each) => sum + each.bytes, 0);
  const remove = async (): Promise<void> => {
    dialog.current?.close();
    const steps = chosen.map(({ step }) => step);
    if (
      await attempt(
        () => send("DELETE", `/api/runs/${store.id}/checkpoints`, { steps }),
        `${size(bytes)} are free again.`,
      )
    )
      mark([]);
  };
  return (
    <section aria-labelledby="disk-title">
      <h2 id="disk-title">On the disk</h2>
      <p class="hint">
        {checkpoints.length} checkpoints, {size(checkpoints.reduce((sum, each) => sum + each.bytes, 0))}. What was seen
        of them stays: pictures, figures, the choice of another λ.
      </p>
      <ul class="checkpoints">
        {checkpoints.map(({ step, bytes: own }) => (
          <li key={step}>
            <label>
              <input
                type="checkbox"
                disabled={step === best?.step || live}
                checked={marked.includes(step)}
                onChange={({ currentTarget }) =>
                  mark(currentTarget.checked ? [...marked, step] : marked.filter((each) => each !== step))
                }
              />{" "}
              {stepName(step)} <small>{step === best?.step ? "kept" : size(own)}</small>
            </label>
          </li>
        ))}
      </ul>
      <p class="controls">
        <button
          type="button"
          disabled={live || others.length === 0}
          onClick={() => mark(others.map(({ step }) => step))}
        >
          Mark all but the kept one
        </button>
        <button
          type="button"
          class="danger"
          disabled={live || chosen.length === 0}
          onClick={() => dialog.current?.showModal()}
        >
          Delete {chosen.length > 0 && `${chosen.length} (${size(bytes)})`} …
        </button>
        {live && <span class="hint">while it trains, nothing is deleted</span>}
      </p>
      <dialog ref={dialog} aria-label="Delete checkpoints">
        <h2>Delete {chosen.length} checkpoints?</h2>
        <p>
          {chosen.map(({ step }) => stepName(step)).join(", ")}: {size(bytes)}. They cannot be drawn with or exported
          any more, and come back only by training again.
        </p>
        <p class="controls">
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave them
          </button>
          <button type="button" class="danger" onClick={() => void remove()}>
            Delete them
          </button>
        </p>
      </dialog>
    </section>
  );
}
