import type { Message } from "./named-setting.ts";

/** How far long work is, or a line that people should know. Every phase counts up from `done` 0 to `total`. */
export type WorkEvent<Phase extends string = string> =
  | { readonly type: "progress"; readonly phase: Phase; readonly done: number; readonly total: number }
  | { readonly type: "warning"; readonly text: Message };

/**
 * Whether work is to be given up, and what is thrown then. Every AbortSignal is one. It is read, not listened to: the event loop of a thread
 * does not turn while ONNX Runtime works in it.
 */
export type StopSignal = Pick<AbortSignal, "aborted" | "reason" | "throwIfAborted">;

/** How long work talks to whoever started it. */
export interface WorkControl<Event> {
  readonly emit: (event: Event) => void;
  readonly signal: StopSignal;
}
