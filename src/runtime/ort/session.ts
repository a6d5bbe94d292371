import { failureWith, say, setting } from "../../system/message.ts";
import { sameShape, type HostTensor } from "../../tensor/tensor.ts";
import { Stopped, type Session, type StopFlag } from "../backends/backend.ts";
import type { Ort } from "./api.ts";
import { bind, type Binding } from "./binding.ts";
import type { DeviceMemory, Held } from "./memory.ts";
import { endSession } from "./options.ts";
import { hostValue, type OrtValue } from "./values.ts";

/** What a name is bound to. */
type Bound =
  /** The host's array. The value is the session's to release. */
  | { readonly kind: "host"; readonly tensor: HostTensor; readonly value: OrtValue }
  /** The device's own, as it was when it had been written so many times. */
  | { readonly kind: "held"; readonly tensor: HostTensor; readonly held: Held; readonly writes: number };

export interface SessionParts {
  readonly ort: Ort;
  readonly session: bigint;
  /** For values over the host's arrays. */
  readonly hostMemory: bigint;
  /** Absent where graphs work on the host's own arrays. */
  readonly memory?: DeviceMemory | undefined;
  /** Configuration entries of its runs. */
  readonly runConfig?: Readonly<Record<string, string>> | undefined;
  /** Called when all is released. */
  readonly after?: () => void;
}

/** A {@link Session} of ONNX Runtime's. Where it cannot be made, the ONNX Runtime session that it was to own has ended. */
export function createSession({ ort, session, hostMemory, memory, runConfig, after }: SessionParts): Session {
  const binding = bindOrEnd(ort, session, runConfig);
  const inputs = new Map<string, Bound>();
  const outputs = new Map<string, Bound>();
  let running: Promise<void> | undefined;
  let isReleased = false;

  /** What a tensor is to be bound as; undefined when it is bound so already. */
  const bound = (tensor: HostTensor, known: Bound | undefined, isInput: boolean): Bound | undefined => {
    const held = memory?.find(tensor);
    if (held !== undefined) {
      const isSame = known?.kind === "held" && known.held === held && (!isInput || known.writes === held.writes);
      return isSame ? undefined : { kind: "held", tensor, held, writes: held.writes };
    }
    const isSame = known?.kind === "host" && known.tensor.data === tensor.data;
    const isCopied = isInput && memory !== undefined;
    return isSame && !isCopied && sameShape(known.tensor.shape, tensor.shape)
      ? undefined
      : { kind: "host", tensor, value: hostValue(ort, hostMemory, tensor) };
  };

  const place = (name: string, tensor: HostTensor, isInput: boolean): void => {
    if (isReleased) throw new Error("the session was released");
    const table = isInput ? inputs : outputs;
    const known = table.get(name);
    const next = bound(tensor, known, isInput);
    if (next === undefined) return;
    const value = next.kind === "held" ? next.held.value : next.value;
    if (isInput) binding.input(name, value);
    else binding.output(name, value);
    table.set(name, next);
    if (known?.kind === "host") known.value.release();
  };

  /**
   * On a processor the thread that asks computes with the others. The library sets it to treat denormals as zero, as it does its own threads,
   * only where it made the first session: a thread of Node's pool would be slower, and round otherwise.
   */
  const runHere = async (stop: StopFlag | undefined): Promise<void> => {
    await turnOfTheLoop();
    if (stop?.aborted === true) throw new Stopped();
    binding.runHere();
  };

  return {
    input: (name, tensor) => place(name, tensor, true),
    output: (name, tensor) => place(name, tensor, false),
    async run(stop) {
      // an input whose first reader runs elsewhere was copied there when it was bound
      for (const [name, { kind, tensor }] of inputs) if (kind === "held") place(name, tensor, true);
      if (isReleased) throw new Error("the session was released");
      running = memory === undefined ? runHere(stop) : binding.run(stop);
      try {
        await running;
      } catch (error) {
        throw withAdvice(error);
      } finally {
        // a run that was stopped or has failed may have written some of them
        for (const { kind, tensor } of outputs.values()) if (kind === "held") memory?.written(tensor);
      }
    },
    async release() {
      if (isReleased) return;
      isReleased = true;
      await running?.catch(() => undefined); // whoever runs it learns of its failure
      binding.release();
      for (const bound of [...inputs.values(), ...outputs.values()]) if (bound.kind === "host") bound.value.release();
      try {
        endSession(ort, session);
      } finally {
        after?.();
      }
    },
  };
}

/** Lets files, timers and messages have their turn: nothing else does between runs that block the thread. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What ONNX Runtime's allocators say: the arena's, the processor's and CUDA's. */
const NO_MEMORY = /failed to allocate memory|bad allocation|out of memory|bad_alloc/i;

/** An error that is about memory, with what takes less of it. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof Error) || !NO_MEMORY.test(error.message)) return error;
  return failureWith(
    say`there is not enough memory: ${setting("memory", "low")} and ${setting("precision", "float16")} take less, and so do smaller pictures`,
  );
}

function bindOrEnd(ort: Ort, session: bigint, runConfig: SessionParts["runConfig"]): Binding {
  try {
    return bind(ort, session, runConfig);
  } catch (error) {
    endSession(ort, session);
    throw error;
  }
}
