import type { Message } from "../../system/named-setting.ts";
import { worded } from "../../system/worded.ts";

/** An event as work tells it: the settings in a warning apart from its text. */
type Unworded<E> = E extends { readonly type: "warning" } ? Omit<E, "text"> & { readonly text: Message } : E;

/** A program's listener, for work to tell: warnings come to it as text. */
export function inText<E extends { readonly type: string }>(
  onEvent: ((event: E) => void) | undefined,
): ((event: Unworded<E>) => void) | undefined {
  return onEvent && ((event) => onEvent(worded(event) as E));
}
