import type { RunControl } from "../runs/events.ts";

/** Tells each warning once, however often a look finds it again. */
export function warnOnce({ emit }: Pick<RunControl, "emit">): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (!said.has(text)) emit({ type: "warning", text });
    said.add(text);
  };
}
