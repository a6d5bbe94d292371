import type { ScoredImage } from "../../runs/events.ts";
import { pictureUrl } from "../../server/urls.ts";
import { stepName } from "../format.ts";
import { viewer, zoomBy, type ViewerMode } from "./viewer-state.ts";

interface Shown {
  readonly step: number;
  readonly image: ScoredImage | undefined;
}

export interface StageProps {
  readonly mode: ViewerMode;
  readonly run: string;
  /** Of the pictures, in pixels. */
  readonly side: number;
  readonly shown: Shown;
  readonly held: Shown;
}

/** One picture or two, all at the same place and zoom. */
export function Stage({ mode, run, side, shown, held }: StageProps) {
  const panes = { run, side };
  if (mode === "side")
    return (
      <div class="stage-row two">
        <Pane {...panes} pictures={[held]} />
        <Pane {...panes} pictures={[shown]} />
      </div>
    );
  if (mode === "toggle") {
    const showsHeld = viewer.showsHeld.value;
    return (
      <div class="stage-row">
        <button
          type="button"
          class="toggle"
          aria-pressed={showsHeld}
          onClick={() => (viewer.showsHeld.value = !showsHeld)}
        >
          showing {stepName(showsHeld ? held.step : shown.step)}: press to see{" "}
          {stepName(showsHeld ? shown.step : held.step)}
        </button>
        <Pane {...panes} pictures={[showsHeld ? held : shown]} />
      </div>
    );
  }
  if (mode === "wipe")
    return (
      <div class="stage-row">
        <label class="wipe">
          <span>{stepName(held.step)}</span>
          <input
            type="range"
            min={0}
            max={1}
            step={0.01}
            value={viewer.wipe.value}
            aria-label={`wipe between ${stepName(held.step)} and ${stepName(shown.step)}`}
            onInput={({ currentTarget }) => (viewer.wipe.value = Number(currentTarget.value))}
          />
          <span>{stepName(shown.step)}</span>
        </label>
        <Pane {...panes} pictures={[shown, held]} wipe={viewer.wipe.value} />
      </div>
    );
  return (
    <div class="stage-row">
      <Pane {...panes} pictures={[shown]} />
    </div>
  );
}

/** @param wipe how much of the second picture is shown, from the left */
function Pane({
  run,
  side,
  pictures,
  wipe,
}: Pick<StageProps, "run" | "side"> & { readonly pictures: readonly Shown[]; readonly wipe?: number }) {
  const [zoom, { x, y }] = [viewer.zoom.value, viewer.middle.value];
  const transform = `scale(${zoom}) translate(${(0.5 - x) * 100}%, ${(0.5 - y) * 100}%)`;
  const drag = (event: PointerEvent): void => {
    if (event.buttons === 0) return;
    const { width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    viewer.middle.value = {
      x: within(viewer.middle.value.x - event.movementX / width / zoom),
      y: within(viewer.middle.value.y - event.movementY / width / zoom),
    };
  };
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  };
  return (
    <figure class="pane">
      <div class="window" onPointerMove={drag} onWheel={onWheel}>
        {pictures.map(({ step, image }, i) =>
          image === undefined ? null : (
            <img
              key={i}
              src={pictureUrl(run, image.image, { version: image.sha256 })}
              alt={`${image.prompt}, ${stepName(step)}`}
              class={side <= 256 ? "pixels" : undefined}
              draggable={false}
              style={{ transform, ...(i === 1 && wipe !== undefined && { clipPath: clipOf(wipe, zoom, x) }) }}
            />
          ),
        )}
        {wipe !== undefined && <span class="edge" style={{ left: `${wipe * 100}%` }} />}
      </div>
      <figcaption>{pictures.map(({ step }) => stepName(step)).join(" under ")}</figcaption>
    </figure>
  );
}

/** The clip moves with the picture: the window's edge, in shares of the picture. */
function clipOf(wipe: number, zoom: number, x: number): string {
  const edge = x + (wipe - 0.5) / zoom;
  return `inset(0 ${(1 - within(edge)) * 100}% 0 0)`;
}

function within(share: number): number {
  return Math.max(0, Math.min(1, share));
}
