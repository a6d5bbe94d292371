import type { OpenvinoApi } from "./api.ts";
import { DEVICE } from "./session.ts";

/** The processor as OpenVINO sees it. */
export interface Processor {
  readonly name: string;
  /** As "FP32", "BF16", "INT8". */
  readonly capabilities: readonly string[];
}

export function processorOf(api: OpenvinoApi): Processor {
  const core = api.createCore();
  try {
    const property = (key: string) => api.property(core, DEVICE, key).trim();
    return { name: property("FULL_DEVICE_NAME"), capabilities: property("OPTIMIZATION_CAPABILITIES").split(/\s+/) };
  } finally {
    api.freeCore(core);
  }
}
