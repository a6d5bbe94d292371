import type { HostTensor } from "../tensor/tensor.ts";
import type { Memory } from "./backends/backend.ts";
import type { Resource } from "./resources.ts";

/** Tensors in a device's memory, for as long as the resource is there. @throws what sending throws; then nothing is held */
export async function holdTensors(memory: Memory, tensors: Iterable<HostTensor>): Promise<Resource> {
  const all = [...tensors];
  await memory.hold(all);
  return {
    release() {
      memory.letGo(all);
      return Promise.resolve();
    },
  };
}
