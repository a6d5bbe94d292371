import type { Resource } from "../../runtime/resources.ts";
import { Interrupted } from "../../system/failure.ts";
import type { ServiceEvent, ServiceName, Services } from "./messages.ts";

export interface ServiceControl {
  readonly emit: (event: ServiceEvent) => void;
  /** Whether to give up, with Interrupted. */
  readonly shouldStop: () => boolean;
}

/** Tells how far loading is, of so many steps. @throws Interrupted when it is to be given up */
export function loadingOf({ emit, shouldStop }: ServiceControl, total: number): (done: number) => void {
  return (done) => {
    if (shouldStop()) throw new Interrupted();
    emit({ type: "progress", phase: "loading", done, total });
  };
}

/** A model that is loaded, in its thread. */
export interface Loaded<N extends ServiceName> extends Resource {
  readonly facts: Services[N]["facts"];
  /** @throws UsageError, ModelError, Interrupted */
  answer(request: Services[N]["request"], control: ServiceControl): Promise<Services[N]["reply"]>;
}
