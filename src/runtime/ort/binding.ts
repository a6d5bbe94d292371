import type { Pointer } from "../../system/native.ts";
import { Stopped, type StopFlag } from "../backends/backend.ts";
import { untilStopped } from "../stopping.ts";
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
      const terminate = (): void => {
        terminated = true;
        ort.call("RunOptionsSetTerminate", options);
      };
      try {
        await untilStopped(ort.callAsync("RunWithBinding", session, options, binding), stop, terminate);
      } catch (error) {
        throw terminated ? new Stopped() : error;
      } finally {
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
