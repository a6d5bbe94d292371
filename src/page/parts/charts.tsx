import { useEffect, useRef } from "preact/hooks";
import { PLOT } from "../../report/charts/frame.ts";
import type { Html } from "../../report/html.ts";
import type { RunStore } from "../run-store.ts";
import { Markup } from "./markup.tsx";

/** Charts of the report with the step cursor over those that have steps: a click or a drag in one moves it. */
export function Charts({
  of,
  store,
  class: name = "charts",
}: {
  readonly of: Html;
  readonly store: RunStore;
  readonly class?: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const step = store.cursor.value;
  useEffect(() => {
    for (const chart of stepCharts(place.current)) drawCursor(chart, step);
  }, [of.text, step]);
  const move = (event: PointerEvent): void => {
    if (event.buttons === 0 && event.type === "pointermove") return;
    const chart = event.target instanceof Element ? event.target.closest<SVGSVGElement>("svg[data-steps]") : null;
    if (chart !== null) store.cursor.value = stepAt(chart, event.clientX);
  };
  return (
    <div ref={place} class="cursor-charts" onPointerDown={move} onPointerMove={move}>
      <Markup of={of} class={name} />
    </div>
  );
}

function stepCharts(place: HTMLElement | null): SVGSVGElement[] {
  return [...(place?.querySelectorAll<SVGSVGElement>("svg[data-steps]") ?? [])];
}

/** The first and the last step of a chart's axis. */
function rangeOf(chart: SVGSVGElement): readonly [number, number] {
  const [from = 0, to = 1] = (chart.dataset["steps"] ?? "").split(" ").map(Number);
  return [from, to];
}

function stepAt(chart: SVGSVGElement, clientX: number): number {
  const [from, to] = rangeOf(chart);
  const { left, width } = chart.getBoundingClientRect();
  const x = ((clientX - left) / width) * PLOT.width;
  const share = (x - PLOT.left) / (PLOT.right - PLOT.left);
  return Math.round(from + Math.max(0, Math.min(1, share)) * (to - from));
}

function drawCursor(chart: SVGSVGElement, step: number | undefined): void {
  const known = chart.querySelector(".cursor");
  const [from, to] = rangeOf(chart);
  if (step === undefined || step > to) {
    known?.remove();
    return;
  }
  const line = known ?? document.createElementNS("http://www.w3.org/2000/svg", "line");
  const x = String(PLOT.left + ((step - from) / (to - from)) * (PLOT.right - PLOT.left));
  for (const [name, value] of [
    ["class", "cursor"],
    ["x1", x],
    ["x2", x],
    ["y1", String(PLOT.top)],
    ["y2", String(PLOT.bottom)],
  ] as const)
    line.setAttribute(name, value);
  if (known === null) chart.append(line);
}
