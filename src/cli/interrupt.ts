import { onOutputGone } from "./output.ts";

/** How long after the first Ctrl-C another is the same one: npm passes on a signal that the terminal has already sent to us. */
const SAME_INTERRUPT_MS = 150;

/** Asks a task to end when the user or the reader of its output wants no more. */
export interface Interrupt {
  readonly signal: AbortSignal;
  release(): void;
}

/**
 * Ctrl-C and SIGTERM: the first asks the task to finish its step and save, a second one leaves at once. An output that nobody reads any
 * more only asks.
 * @param leave called just before leaving at once, to leave the terminal in order
 * @param isSaved whether leaving at once would lose nothing
 * @param saved what to say then
 */
export function onInterrupt(
  say: (line: string) => void,
  leave: () => void,
  isSaved: () => boolean = () => false,
  saved = "there was nothing to save yet",
): Interrupt {
  const controller = new AbortController();
  let askedAt = 0;
  const ask = (line: string) => {
    if (controller.signal.aborted) return;
    askedAt = performance.now();
    say(line);
    controller.abort();
  };
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (performance.now() - askedAt > SAME_INTERRUPT_MS) leaveAtOnce();
    } else if (isSaved()) {
      say(`stopped; ${saved}`);
      leaveAtOnce();
    } else ask("stopping and saving; press Ctrl-C again to leave at once");
  };
  const forgetOutput = onOutputGone((why) => ask(`${why}: stopping and saving`));
  const release = () => {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    forgetOutput();
  };
  const leaveAtOnce = () => {
    leave();
    release();
    // process.exit would wait for the engine's thread to come out of ONNX Runtime, and abort there. The signal does not wait, and
    // shells count a process that it ended as 130.
    process.kill(process.pid, "SIGINT");
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return { signal: controller.signal, release };
}

/**
 * The same for work that has nothing to save: Ctrl-C, and an output that nobody reads any more, leave at once.
 * @param leave called just before, to leave the terminal in order
 */
export function leaveOnInterrupt(leave: () => void): Pick<Interrupt, "release"> {
  const leaveAtOnce = () => {
    leave();
    release();
    process.kill(process.pid, "SIGINT");
  };
  const forgetOutput = onOutputGone(leaveAtOnce);
  const release = () => {
    process.off("SIGINT", leaveAtOnce);
    forgetOutput();
  };
  process.on("SIGINT", leaveAtOnce);
  return { release };
}
