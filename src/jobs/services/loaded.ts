import type { Resource } from "../../runtime/resources.ts";
import type { ServiceEvent, ServiceName, Services } from "./messages.ts";

export interface ServiceControl {
  readonly emit: (event: ServiceEvent) => void;
  /** Whether to give up, with Interrupted. */
  readonly shouldStop: () => boolean;
}

/** A model that is loaded, in its thread. */
export interface Loaded<N extends ServiceName> extends Resource {
  readonly facts: Services[N]["facts"];
  /** @throws UsageError, ModelError, Interrupted */
  answer(request: Services[N]["request"], control: ServiceControl): Promise<Services[N]["reply"]>;
}
