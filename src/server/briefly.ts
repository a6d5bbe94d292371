/** What is found out by a walk through many files: those who ask within a moment share it. */
const KEEP_MS = 10_000;

/** Finds something out of a place, and keeps that for a moment; a failure is not kept. */
export function briefly<T>(find: (place: string) => Promise<T>, keepMs = KEEP_MS): (place: string) => Promise<T> {
  let known: { readonly place: string; readonly at: number; readonly found: Promise<T> } | undefined;
  return (place) => {
    if (known?.place === place && performance.now() - known.at < keepMs) return known.found;
    const now = { place, at: performance.now(), found: find(place) };
    known = now;
    now.found.catch(() => {
      if (known === now) known = undefined;
    });
    return now.found;
  };
}
