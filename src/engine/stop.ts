import type { ExtraValidations } from "../runs/events.ts";
import { Interrupted } from "../system/failure.ts";
import type { StopSignal } from "../system/work.ts";

/** Memory that both threads see; 1 asks the engine's to give up what it is at. */
export type StopFlag = Int32Array<SharedArrayBuffer>;

export function createStopFlag(): StopFlag {
  return new Int32Array(new SharedArrayBuffer(4));
}

export function raise(flag: StopFlag): void {
  Atomics.store(flag, 0, 1);
}

/** Memory that both threads see: how often a validation out of turn was asked for. */
export type AskedCount = Int32Array<SharedArrayBuffer>;

export function createAskedCount(): AskedCount {
  return new Int32Array(new SharedArrayBuffer(4));
}

export function askOnceMore(count: AskedCount): void {
  Atomics.add(count, 0, 1);
}

/** The count as the engine's thread sees it. */
export function extraValidationsOf(count: AskedCount): ExtraValidations {
  let answered = 0;
  return {
    isAsked: () => Atomics.load(count, 0) !== answered,
    answered() {
      answered = Atomics.load(count, 0);
    },
  };
}

/** The flag as the engine's thread sees it: aborted, for the reason Interrupted, as soon as the flag is raised. */
export function signalOf(flag: StopFlag): StopSignal {
  const reason = new Interrupted();
  const isRaised = () => Atomics.load(flag, 0) === 1;
  return {
    get aborted() {
      return isRaised();
    },
    get reason() {
      return isRaised() ? reason : undefined;
    },
    throwIfAborted() {
      if (isRaised()) throw reason;
    },
  };
}
