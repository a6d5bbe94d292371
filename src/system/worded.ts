import { textOf } from "./message.ts";
import type { Message } from "./named-setting.ts";

/** An event with its line for people, if it is one, as text. */
export type Worded<E> = E extends { readonly type: "warning" } ? Omit<E, "text"> & { readonly text: string } : E;

/** Words the line of a warning, for whoever is to read it. @param nameOf what to call a setting. Default: its name */
export function worded<E extends { readonly type: string }>(event: E, nameOf?: (name: string) => string): Worded<E>;
export function worded(event: { readonly type: string; readonly text?: Message }, nameOf?: (name: string) => string) {
  return event.type === "warning" ? { ...event, text: textOf(event.text ?? "", nameOf) } : event;
}
