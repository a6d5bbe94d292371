import { memo } from "preact/compat";
import { useEffect, useRef } from "preact/hooks";
import type { ValidationEvent } from "../../runs/events.ts";
import { shownPrompt } from "../../runs/shown-prompt.ts";
import { harmonicReward } from "../../reward/reward.ts";
import { short, stepName } from "../format.ts";
import { moveStep, type RunStore } from "../run-store.ts";
import { Picture } from "./picture.tsx";
import { openViewer } from "./viewer-state.ts";

/** Prompts down, steps across, each row from one noise. The starting model stays in sight at the left. */
export function Grid({ store, chosen }: { readonly store: RunStore; readonly chosen: number | undefined }) {
  const place = useRef<HTMLDivElement>(null);
  const view = store.view.value;
  const count = store.validations.value.length;
  const { noises, prompts } = layoutOf(view?.state.validations[0], view?.settings.validationImages ?? 1);
  const lambda = store.lambda.value ?? view?.settings.lambda ?? 0.5;
  const [shown, prompt, noise] = [store.shown.value, store.prompt.value, Math.min(store.noise.value, noises - 1)];
  useEffect(() => void focusCell(place.current, shown, prompt), [shown, prompt, count, noise]);
  if (view === undefined || count === 0) return null;
  const { validations } = view.state;
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = KEYS[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (by[0] !== 0) moveStep(store, by[0]);
    store.prompt.value = Math.max(0, Math.min(prompts.length - 1, store.prompt.value + by[1]));
    requestAnimationFrame(() => focusCell(place.current, store.shown.value, store.prompt.value)?.focus());
  };
  return (
    <section aria-labelledby="grid-title">
      <div class="heading">
        <h2 id="grid-title">Pictures</h2>
        <NoiseChoice store={store} count={noises} />
      </div>
      <div ref={place} class="scroll grid-place" onKeyDown={onKeyDown}>
        <table class="grid">
          <colgroup>
            <col />
            {validations.map(({ step }) => (
              <col key={step} class={`${step === shown ? "at-cursor" : ""} ${step === chosen ? "chosen" : ""}`} />
            ))}
          </colgroup>
          <thead>
            <tr>
              <td />
              {validations.map(({ step, extra }) => (
                <th key={step} scope="col" class={`${step === 0 ? "pinned" : ""} ${step === chosen ? "chosen" : ""}`}>
                  <button
                    type="button"
                    class="column"
                    aria-pressed={step === shown}
                    title={extra && "validated out of turn"}
                    onClick={() => (store.cursor.value = step)}
                  >
                    {stepName(step)}
                    {extra && <small> extra</small>}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {prompts.map((text, p) => (
              <Row
                key={p}
                {...{ store, text, p, noise, noises, lambda, validations, count }}
                side={view.settings.resolution}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const KEYS: Readonly<Record<string, readonly [steps: number, prompts: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The prompts, and how many pictures each has. */
export function layoutOf(
  first: ValidationEvent | undefined,
  noises: number,
): { readonly noises: number; readonly prompts: readonly string[] } {
  const images = first?.images ?? [];
  return { noises, prompts: images.flatMap((image, i) => (i % noises === 0 ? [shownPrompt(image)] : [])) };
}

interface RowProps {
  readonly store: RunStore;
  readonly text: string;
  readonly p: number;
  readonly noise: number;
  readonly noises: number;
  readonly lambda: number;
  readonly validations: readonly ValidationEvent[];
  /** Of validations: the list is one object that grows. */
  readonly count: number;
  readonly side: number;
}

/** Drawn anew when there is another validation, and not whenever the cursor moves. */
const Row = memo(function Row({ store, text, p, noise, noises, lambda, validations, side }: RowProps) {
  const open = (step: number): void => {
    store.cursor.value = step;
    store.prompt.value = p;
    openViewer(store);
  };
  return (
    <tr>
      <th scope="row">
        <span>{text}</span>
      </th>
      {validations.map(({ step, images }) => {
        const image = images[p * noises + noise];
        return (
          <td key={step} class={step === 0 ? "pinned" : undefined}>
            {image !== undefined && (
              <figure class="cell">
                <button
                  type="button"
                  class="zoom"
                  tabIndex={-1}
                  data-step={step}
                  data-prompt={p}
                  onClick={() => open(step)}
                  aria-label={`${text}, ${stepName(step)}: enlarge`}
                >
                  <Picture run={store.id} path={image.image} version={image.sha256} side={side} thumb={320} alt="" />
                </button>
                <figcaption>
                  <b class="reward">{short(harmonicReward(image, lambda))}</b> <span>I {short(image.alignI)}</span>{" "}
                  <span>T {short(image.alignT)}</span>
                </figcaption>
              </figure>
            )}
          </td>
        );
      })}
    </tr>
  );
}, isSameRow);

function isSameRow(a: RowProps, b: RowProps): boolean {
  return (
    a.count === b.count &&
    a.noise === b.noise &&
    a.lambda === b.lambda &&
    a.text === b.text &&
    a.validations === b.validations
  );
}

/** Makes a cell the one that Tab comes to, and brings it into sight. */
function focusCell(place: HTMLElement | null, step: number, prompt: number): HTMLElement | undefined {
  for (const former of place?.querySelectorAll<HTMLElement>('.zoom[tabindex="0"]') ?? []) former.tabIndex = -1;
  const cell = place?.querySelector<HTMLElement>(`.zoom[data-step="${step}"][data-prompt="${prompt}"]`) ?? undefined;
  if (place === null || cell === undefined) return undefined;
  cell.tabIndex = 0;
  const pinned = place.querySelector<HTMLElement>("td.pinned");
  const [box, room] = [cell.getBoundingClientRect(), place.getBoundingClientRect()];
  const left = step === 0 ? room.left : (pinned?.getBoundingClientRect().right ?? room.left);
  if (box.right > room.right) place.scrollLeft += box.right - room.right + 12;
  else if (box.left < left) place.scrollLeft -= left - box.left + 12;
  return cell;
}

function NoiseChoice({ store, count }: { readonly store: RunStore; readonly count: number }) {
  if (count < 2) return null;
  return (
    <label class="inline">
      starting noise{" "}
      <select
        value={store.noise.value}
        onChange={({ currentTarget }) => (store.noise.value = Number(currentTarget.value))}
      >
        {Array.from({ length: count }, (_, i) => (
          <option key={i} value={i}>
            {i + 1} of {count}
          </option>
        ))}
      </select>
    </label>
  );
}
