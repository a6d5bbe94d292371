import type { CostEstimate } from "../runs/events.ts";
import type { Failure } from "../system/failure.ts";
import type { ServiceName, Services } from "./services/services.ts";
import type { StopFlag } from "./stop.ts";
import type { TaskName, Tasks } from "./tasks.ts";

/**
 * What the program and a thread of the engine say to each other. The program asks for something; the thread answers with any number of
 * events, then with the result or a failure. A task's thread is asked once, a service's first to load and then for one thing after another,
 * until it is released. A task may ask back, whether to go on at a cost.
 */
export interface Question {
  readonly kind: (TaskQuestion | LoadQuestion | ServiceQuestion)["kind"];
}

/** A question with the flag that gives up what it asks for. */
export type Asked<Q> = Q & { readonly stop: StopFlag };

export type TaskQuestion<N extends TaskName = TaskName> = {
  readonly [K in N]: { readonly kind: "task"; readonly task: K; readonly settings: Tasks[K]["settings"] };
}[N];

export type LoadQuestion<N extends ServiceName = ServiceName> = {
  readonly [K in N]: { readonly kind: "load"; readonly service: K; readonly settings: Services[K]["settings"] };
}[N];

export interface ServiceQuestion<N extends ServiceName = ServiceName> {
  readonly kind: "request";
  readonly request: Services[N]["request"];
}

/** Ends a service's thread. It has no answer but that. */
export interface Release {
  readonly kind: "release";
}

/** Whether a task is to go on at the cost that it estimated. */
export interface Confirmed {
  readonly kind: "confirmed";
  readonly yes: boolean;
}

export type FromThread<Event, Result> =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "confirm"; readonly estimate: CostEstimate }
  | { readonly kind: "result"; readonly result: Result }
  | Failure;
