import type { Pointer } from "../../system/native.ts";
import { Stopped, type StopFlag } from "../backends/backend.ts";
import type { Ort } from "./api.ts";
import type { OrtValue } from "./values.ts";

/** What a session reads and writes. Values that are on another device than their input are copied when they are bound. */
export interface Binding {
  input(name: string, value: OrtValue): void;
  output(name: string, value: OrtValue): void;
  /** Runs on another thread. @throws Stopped; Error with ONNX Runtime's message */
  run(stop?: StopFlag): Promise<void>;
  /** Runs on this thread, which waits. @throws Error with ONNX Runtime's message */
  runHere(): void;
  release(): void;
}

/** How often a run looks whether it is to stop. */
const LOOK_MS = 50;

/** @param runConfig configuration entries of its runs */
export function bind(ort: Ort, session: Pointer, runConfig: Readonly<Record<string, string>> = {}): Binding {
  const options = ort.make("CreateRunOptions");
  let binding: Pointer;
  try {
    for (const [key, value] of Object.entries(runConfig)) ort.call("AddRunConfigEntry", options, key, value);
    binding = ort.make("CreateIoBinding", session);
  } catch (error) {
    ort.call("ReleaseRunOptions", options);
    throw error;
  }
  return {
    input: (name, { pointer }) => ort.call("BindInput", binding, name, pointer),
    output: (name, { pointer }) => ort.call("BindOutput", binding, name, pointer),
    async run(stop) {
      if (stop?.aborted === true) throw new Stopped();
      let terminated = false;
      const stopWhenAsked = (): void => {
        if (stop?.aborted !== true || terminated) return;
        terminated = true;
        ort.call("RunOptionsSetTerminate", options);
      };
      const look = stop && setInterval(stopWhenAsked, LOOK_MS);
      try {
        await ort.callAsync("RunWithBinding", session, options, binding);
      } catch (error) {
        throw terminated ? new Stopped() : error;
      } finally {
        clearInterval(look);
        if (terminated) ort.call("RunOptionsUnsetTerminate", options);
        // also of a run that was stopped: a device may still be writing
        ort.call("SynchronizeBoundOutputs", binding);
      }
    },
    runHere: () => ort.call("RunWithBinding", session, options, binding),
    release() {
      ort.call("ReleaseIoBinding", binding);
      ort.call("ReleaseRunOptions", options);
    },
  };
}
