import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { judgedOf, takeEvent } from "../server/run-state.ts";
import type { RunNews, RunView } from "../server/api.ts";
import { scaleOf } from "../runs/scale.ts";
import type { RewardScale, Validation } from "../reward/scale.ts";

/** A run as the page has it: told by the server, drawn anew when something changes. */
export interface RunStore {
  readonly id: string;
  readonly view: ReadonlySignal<RunView | undefined>;
  /** Changes with the view's state, which is one object throughout. */
  readonly version: ReadonlySignal<number>;
  /** Changes with validations alone. */
  readonly validations: ReadonlySignal<readonly Validation[]>;
  readonly scale: ReadonlySignal<RewardScale>;
  readonly connection: ReadonlySignal<Connection>;
  /** The step that is looked at; undefined: the last, whatever comes. */
  readonly cursor: { value: number | undefined };
  /** The step of the validation that the cursor stands at, or the last before it. */
  readonly shown: ReadonlySignal<number>;
  readonly prompt: { value: number };
  readonly noise: { value: number };
  readonly lambda: { value: number | undefined };
  close(): void;
}

export interface Connection {
  readonly state: "opening" | "open" | "lost" | "damaged";
  readonly message?: string;
}

export function openRun(id: string): RunStore {
  const view = signal<RunView | undefined>(undefined);
  const version = signal(0);
  const validated = signal(0);
  const connection = signal<Connection>({ state: "opening" });
  const cursor = signal<number | undefined>(undefined);
  let source: EventSource | undefined;

  const hear = (news: RunNews): void => {
    if (news.type === "problem") {
      connection.value = { state: "damaged", message: news.message };
      source?.close();
      return;
    }
    if (news.type === "all") {
      view.value = news;
      validated.value++;
    } else if (view.value === undefined) return;
    else if (news.type === "facts") view.value = { ...view.value, facts: news.facts };
    else {
      for (const event of news.events) takeEvent(view.value.state, event);
      if (news.events.some(({ type }) => type === "validation" || type === "anchors")) validated.value++;
    }
    connection.value = { state: "open" };
    version.value++;
  };
  const open = (): void => {
    source?.close();
    source = new EventSource(`/api/runs/${id}/stream`);
    source.addEventListener("message", ({ data }: MessageEvent<string>) => hear(JSON.parse(data) as RunNews));
    source.addEventListener("error", () => {
      if (connection.value.state !== "damaged") connection.value = { state: "lost" };
      // a browser gives up after a refusal, and the server may be starting anew
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, 1500);
      void isUnknownHere().then((isUnknown) => {
        if (isUnknown && connection.value.state === "lost") connection.value = { state: "lost", message: UNKNOWN };
      });
    });
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  // a page that nobody sees leaves its place to others: a browser opens few connections to a server
  const onVisibility = (): void => {
    clearTimeout(timer);
    if (document.hidden) source?.close();
    else open();
  };
  document.addEventListener("visibilitychange", onVisibility);
  open();

  const validations = computed(() =>
    validated.value >= 0 && view.value !== undefined ? judgedOf(view.value.state) : [],
  );
  return {
    id,
    ...{ view, version, validations, connection, cursor },
    scale: computed(() => {
      const { state, settings } = view.value ?? {};
      if (state === undefined || settings === undefined || validated.value < 0) return { form: "harmonic" };
      return scaleOf(settings.rewardForm, state.anchors, state.validations);
    }),
    shown: computed(() => {
      const steps = validations.value.map(({ step }) => step);
      const at = cursor.value ?? Infinity;
      return steps.findLast((step) => step <= at) ?? steps[0] ?? 0;
    }),
    prompt: signal(0),
    noise: signal(0),
    lambda: signal<number | undefined>(undefined),
    close() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
      source?.close();
    },
  };
}

const UNKNOWN = "This page's token was another server's: open the address that rpo ui printed.";

/** Whether a server answers that does not know this page. */
async function isUnknownHere(): Promise<boolean> {
  return fetch("/icon.svg").then(
    ({ status }) => status === 401,
    () => false,
  );
}

/** Moves the cursor to another validation. */
export function moveStep(store: RunStore, by: number): void {
  const steps = store.validations.value.map(({ step }) => step);
  const at = steps.indexOf(store.shown.value);
  const next = steps[Math.max(0, Math.min(steps.length - 1, at + by))];
  store.cursor.value = next === steps.at(-1) && by > 0 ? undefined : next;
}
