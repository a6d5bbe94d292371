import { EXIT } from "./failure.ts";

/** Ctrl-C: the first asks the task to finish its step and save, a second one leaves at once. */
export function onInterrupt(say: (line: string) => void): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    say("finishing the step at hand and saving; press Ctrl-C again to leave at once");
    controller.abort();
  };
  process.on("SIGINT", handle).on("SIGTERM", handle);
  return { signal: controller.signal, release: () => void process.off("SIGINT", handle).off("SIGTERM", handle) };
}
