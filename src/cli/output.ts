import { reasonOf } from "../system/files.ts";
import { EXIT } from "./failure.ts";

/** Told, once, why what is written to stdout or stderr reaches nobody any more. */
type Listener = (why: string) => void;

const listeners = new Set<Listener>();
let isGone = false;

/**
 * Watches stdout and stderr, whose own errors alone say that nobody reads them. SIGPIPE does not: the system sends it for every broken
 * socket too, and Node ignores it only as long as nobody listens to it.
 *
 * Whoever listens decides how to end. Otherwise there is nobody left to tell, and the program ends at once.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (isGone) return; // said already; what is written on the way to the end is lost
      isGone = true;
      const isReaders = error.code === "EPIPE";
      const why = isReaders ? "nobody reads the output any more" : `the output cannot be written: ${reasonOf(error)}`;
      if (listeners.size === 0) process.exit(isReaders ? undefined : EXIT.failed);
      for (const listener of listeners) listener(why);
    });
}

/** @returns a function that takes the listener away */
export function onOutputGone(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
