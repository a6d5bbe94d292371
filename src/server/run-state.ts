import type { Validation } from "../reward/scale.ts";
import type { AnchorsEvent, RoundEvent, RunEvent, StartingPictureEvent, ValidationEvent } from "../runs/events.ts";

/**
 * What a run's events come to, kept in the server and, by the same function, in each page that looks: the server sends it once, then the
 * events that come.
 */
export interface RunState {
  /** How many events it is made of. */
  events: number;
  readonly photos: string[];
  anchors: AnchorsEvent | undefined;
  readonly starting: StartingPictureEvent[];
  readonly rounds: RoundEvent[];
  readonly validations: ValidationEvent[];
  /** Of each step, from 1. */
  readonly seconds: number[];
  /** By their names, a value for each step; null where a step has none. */
  readonly curves: Record<string, (number | null)[]>;
  last: LastEvent;
}

/** What the run did last. */
export interface LastEvent {
  readonly type: RunEvent["type"] | "nothing";
  readonly step: number;
  /** Of a stop, why; of an error, what. */
  readonly detail?: string | undefined;
}

export function emptyState(): RunState {
  return {
    ...{
      events: 0,
      photos: [],
      anchors: undefined,
      starting: [],
      rounds: [],
      validations: [],
      seconds: [],
      curves: {},
    },
    last: { type: "nothing", step: 0 },
  };
}

/** Takes the next event in. */
export function takeEvent(state: RunState, event: RunEvent): void {
  state.events++;
  const step = "step" in event ? event.step : state.last.step;
  const detail = event.type === "stop" ? event.reason : event.type === "error" ? event.message : undefined;
  state.last = { type: event.type, step, ...(detail !== undefined && { detail }) };
  if (event.type === "start") state.photos.push(...(event.photos ?? []).map(({ image }) => image));
  else if (event.type === "anchors") state.anchors = event;
  else if (event.type === "starting-picture") state.starting.push(event);
  else if (event.type === "round") state.rounds.push({ ...event, before: undefined });
  else if (event.type === "validation") state.validations.push(event);
  else if (event.type === "step") takeStep(state, event);
}

function takeStep(state: RunState, { curves, gradNorm, seconds }: RunEvent & { readonly type: "step" }): void {
  const before = state.seconds.length;
  state.seconds.push(seconds);
  const all = gradNorm === undefined ? curves : { ...curves, gradNorm };
  for (const [name, value] of Object.entries(all)) {
    // a curve may begin later than the first step
    const curve = (state.curves[name] ??= Array.from({ length: before }, () => null));
    curve.push(value);
  }
  for (const curve of Object.values(state.curves)) if (curve.length === before) curve.push(null);
}

/** The validations as they are judged. */
export function judgedOf({ validations }: Pick<RunState, "validations">): Validation[] {
  return validations.map(({ step, extra, images }) => ({
    step,
    ...(extra && { extra }),
    images: images.map(({ alignI, alignT }) => ({ alignI, alignT })),
  }));
}
