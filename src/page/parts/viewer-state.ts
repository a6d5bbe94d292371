import { signal } from "@preact/signals";
import type { RunStore } from "../run-store.ts";

/** The large view: what it shows stands in the run's cursor; how, here, so that it stays between steps. */
export type ViewerMode = "one" | "side" | "toggle" | "wipe";

export const viewer = {
  isOpen: signal(false),
  mode: signal<ViewerMode>("one"),
  /** The step that others are held against. */
  held: signal(0),
  /** Of "toggle": whether the held one is shown. */
  showsHeld: signal(false),
  /** Of "wipe": how much of the width is the held one's, 0 to 1. */
  wipe: signal(0.5),
  /** Of every picture: how much larger, and where its middle is, in shares of its side. */
  zoom: signal(1),
  middle: signal({ x: 0.5, y: 0.5 }),
};

export function openViewer(store: RunStore): void {
  if (viewer.held.value > 0 && !store.validations.value.some(({ step }) => step === viewer.held.value))
    viewer.held.value = 0;
  viewer.isOpen.value = true;
}

/** @param factor 0 for the whole picture */
export function zoomBy(factor: number): void {
  viewer.zoom.value = factor === 0 ? 1 : Math.max(1, Math.min(16, viewer.zoom.value * factor));
  if (viewer.zoom.value === 1) viewer.middle.value = { x: 0.5, y: 0.5 };
}
