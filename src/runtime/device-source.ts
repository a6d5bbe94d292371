import type { Device } from "./device.ts";
import { createSession, releaseSession, type DeviceTensor, type GraphOptions } from "./ort.ts";

/**
 * A session on a device. What it computed and left there lies in memory of the session's own, so it ends when it was released and
 * the last of those tensors was disposed of.
 */
export interface Source {
  /** @returns the outputs by name: those that stay on the device are to be given to {@link Source.dispose} in the end */
  run(feeds: Readonly<Record<string, DeviceTensor>>): Promise<Readonly<Record<string, DeviceTensor>>>;
  dispose(tensor: DeviceTensor): void;
  release(): Promise<void>;
}

export async function openSource(
  model: Uint8Array,
  options: GraphOptions & { readonly device: Device; readonly onDevice: readonly string[] },
): Promise<Source> {
  const session = await createSession(model, options);
  let alive = 0;
  let released = false;
  const endIfDone = async (): Promise<void> => {
    if (released && alive === 0) await releaseSession(session);
  };
  return {
    async run(feeds) {
      const outputs = await session.run(feeds);
      alive += options.onDevice.length;
      return outputs;
    },
    dispose(tensor) {
      tensor.dispose();
      alive--;
      void endIfDone();
    },
    release() {
      released = true;
      return endIfDone();
    },
  };
}
