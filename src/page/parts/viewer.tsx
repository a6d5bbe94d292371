import { useEffect, useRef } from "preact/hooks";
import type { ScoredImage } from "../../runs/events.ts";
import { short, stepName } from "../format.ts";
import { moveStep, type RunStore } from "../run-store.ts";
import { layoutOf } from "./grid.tsx";
import { Photos } from "./photos.tsx";
import { Stage } from "./stage.tsx";
import { viewer, zoomBy, type ViewerMode } from "./viewer-state.ts";

const MODES: readonly (readonly [mode: ViewerMode, text: string])[] = [
  ["one", "one"],
  ["side", "side by side"],
  ["toggle", "toggle"],
  ["wipe", "wipe"],
];

/** A prompt's picture, large; another step's held against it. Place and zoom stay when step or prompt change. */
export function Viewer({ store }: { readonly store: RunStore }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = viewer.isOpen.value;
  useEffect(() => {
    if (isOpen && dialog.current?.open === false) dialog.current.showModal();
    if (!isOpen) dialog.current?.close();
  }, [isOpen]);
  const view = store.view.value;
  if (view === undefined) return null;
  const { validations } = view.state;
  const { noises, prompts } = layoutOf(validations[0], view.settings.validationImages);
  const index = store.prompt.value * noises + Math.min(store.noise.value, noises - 1);
  const imageAt = (step: number): ScoredImage | undefined =>
    validations.find((validation) => validation.step === step)?.images[index];
  const [step, held, mode] = [store.shown.value, viewer.held.value, viewer.mode.value];
  const movePrompt = (by: number): void => {
    store.prompt.value = Math.max(0, Math.min(prompts.length - 1, store.prompt.value + by));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const act = {
      ArrowLeft: () => moveStep(store, -1),
      ArrowRight: () => moveStep(store, 1),
      ArrowUp: () => movePrompt(-1),
      ArrowDown: () => movePrompt(1),
      "+": () => zoomBy(1.5),
      "-": () => zoomBy(1 / 1.5),
      "0": () => zoomBy(0),
      h: () => (viewer.held.value = step),
      t: () => ((viewer.mode.value = "toggle"), (viewer.showsHeld.value = !viewer.showsHeld.value)),
      w: () => (viewer.mode.value = "wipe"),
    }[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-label="Large picture"
      onClose={() => (viewer.isOpen.value = false)}
      onKeyDown={onKeyDown}
    >
      {isOpen && (
        <>
          <header>
            <h2>{prompts[store.prompt.value]}</h2>
            <button type="button" onClick={() => (viewer.isOpen.value = false)}>
              close
            </button>
          </header>
          <Stage
            {...{ mode }}
            run={store.id}
            side={view.settings.resolution}
            shown={{ step, image: imageAt(step) }}
            held={{ step: held, image: imageAt(held) }}
          />
          <Scores image={imageAt(step)} step={step} />
          <div class="tools">
            <button type="button" onClick={() => moveStep(store, -1)}>
              ← earlier
            </button>
            <button type="button" onClick={() => moveStep(store, 1)}>
              later →
            </button>
            <button type="button" onClick={() => movePrompt(-1)}>
              ↑ prompt
            </button>
            <button type="button" onClick={() => movePrompt(1)}>
              ↓ prompt
            </button>
            <span class="group" role="group" aria-label="Two steps">
              {MODES.map(([each, text]) => (
                <button
                  key={each}
                  type="button"
                  aria-pressed={mode === each}
                  onClick={() => (viewer.mode.value = each)}
                >
                  {text}
                </button>
              ))}
            </span>
            <label class="inline">
              against{" "}
              <select value={held} onChange={({ currentTarget }) => (viewer.held.value = Number(currentTarget.value))}>
                {validations.map((validation) => (
                  <option key={validation.step} value={validation.step}>
                    {stepName(validation.step)}
                  </option>
                ))}
              </select>
            </label>
            <ZoomTools />
          </div>
          <p class="hint">
            Keys: ← → step, ↑ ↓ prompt, + − 0 zoom, H hold this step, T toggle, W wipe, Esc close. Drag to move.
          </p>
          <Photos store={store} />
        </>
      )}
    </dialog>
  );
}

function Scores({ image, step }: { readonly image: ScoredImage | undefined; readonly step: number }) {
  if (image === undefined) return null;
  return (
    <p class="scores" aria-live="polite">
      <b>{stepName(step)}</b>, likeness {short(image.alignI)}, obedience {short(image.alignT)}, seed {image.seed}
    </p>
  );
}

function ZoomTools() {
  return (
    <span class="group" role="group" aria-label="Zoom">
      <button type="button" aria-label="smaller" onClick={() => zoomBy(1 / 1.5)}>
        −
      </button>
      <button
        type="button"
        aria-label={`${Math.round(viewer.zoom.value * 100)} %: show the whole picture`}
        onClick={() => zoomBy(0)}
      >
        {Math.round(viewer.zoom.value * 100)} %
      </button>
      <button type="button" aria-label="larger" onClick={() => zoomBy(1.5)}>
        +
      </button>
    </span>
  );
}
