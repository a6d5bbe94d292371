import { watchRun } from "../../runs/watch.ts";
import type { RunEvent } from "../../runs/events.ts";
import type { RunFacts } from "../api.ts";
import { emptyState, takeEvent, type RunState } from "../run-state.ts";
import { oneLine } from "../../system/printable.ts";
import { createFacts } from "./facts.ts";

/** Milliseconds between two looks at a log that somebody watches: what is written is on the screen within 300. */
const POLL_MS = 100;
/** Between two looks at the rest of the folder. */
const FACTS_MS = 1000;
/** How long a run is followed on when nobody watches: a page that is loaded anew comes back at once. */
const LINGER_MS = 15_000;

/** A run that pages watch: followed once for all of them. */
export interface Followed {
  /** Counts the times that what was told did not happen after all, and pages have to be told anew. */
  generation(): number;
  state(): RunState;
  /** All events of this generation. */
  events(): readonly RunEvent[];
  facts(): RunFacts | undefined;
  /** Why the log cannot be read, where it cannot. */
  problem(): string | undefined;
  /** Whether nothing more will come. */
  isOver(): boolean;
  /** Waits for something to change, or the signal. */
  changed(signal: AbortSignal): Promise<void>;
}

export interface Followers {
  /** Follows a run for as long as the signal is not aborted, and is caught up with its log when this resolves. */
  follow(run: string, signal: AbortSignal): Promise<Followed>;
  close(): void;
}

export function createFollowers(): Followers {
  const all = new Map<string, Follower>();
  return {
    async follow(run, signal) {
      let follower = all.get(run);
      if (follower === undefined || follower.isOver()) {
        follower = startFollower(run, () => all.delete(run));
        all.set(run, follower);
      }
      follower.join(signal);
      await follower.caughtUp;
      return follower.followed;
    },
    close: () => all.forEach((follower) => follower.stop()),
  };
}

interface Follower {
  readonly followed: Followed;
  /** Resolves when the log was read to its end for the first time. */
  readonly caughtUp: Promise<void>;
  readonly isOver: () => boolean;
  join(signal: AbortSignal): void;
  stop(): void;
}

function startFollower(run: string, onEnd: () => void): Follower {
  const end = new AbortController();
  let watchers = 0;
  let linger: NodeJS.Timeout | undefined;
  let [state, events, generation] = [emptyState(), [] as RunEvent[], 0];
  let facts: RunFacts | undefined;
  let problem: string | undefined;
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const each of woken) each();
  };

  let isNew = false;
  const tell = (): void => {
    if (isNew) wake();
    isNew = false;
  };

  const readLog = async (caughtUp: () => void): Promise<void> => {
    try {
      const onCaughtUp = (): void => {
        caughtUp();
        tell();
      };
      for await (const news of watchRun(run, { signal: end.signal, poll: POLL_MS, notify: true, onCaughtUp })) {
        isNew = true;
        if (news.type === "event") {
          events.push(news.event);
          takeEvent(state, news.event);
        } else {
          events = events.slice(0, news.events);
          state = emptyState();
          for (const event of events) takeEvent(state, event);
          generation++;
        }
      }
    } catch (error) {
      problem = oneLine((error as Error).message, 600);
      caughtUp();
      wake();
      // a later visit reads the log anew
      stop();
    }
  };
  const caughtUp = new Promise<void>((resolve) => void readLog(resolve));

  const factsNow = createFacts(run);
  const readFacts = async (): Promise<void> => {
    const now = await factsNow().catch(() => facts);
    if (JSON.stringify(now) !== JSON.stringify(facts)) {
      facts = now;
      wake();
    }
  };
  const firstFacts = readFacts();
  const timer = setInterval(() => void readFacts(), FACTS_MS);

  const stop = (): void => {
    clearInterval(timer);
    clearTimeout(linger);
    end.abort();
    onEnd();
    wake();
  };

  return {
    caughtUp: Promise.all([caughtUp, firstFacts]).then(() => undefined),
    isOver: () => end.signal.aborted,
    stop,
    join(signal) {
      watchers++;
      clearTimeout(linger);
      const leave = (): void => {
        if (--watchers === 0) linger = setTimeout(stop, LINGER_MS).unref();
      };
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave, { once: true });
    },
    followed: {
      generation: () => generation,
      state: () => state,
      events: () => events,
      facts: () => facts,
      problem: () => problem,
      isOver: () => end.signal.aborted,
      changed: (signal) =>
        new Promise<void>((resolve) => {
          if (signal.aborted || end.signal.aborted) {
            resolve();
            return;
          }
          const done = (): void => {
            signal.removeEventListener("abort", done);
            resolve();
          };
          waiting.push(done);
          signal.addEventListener("abort", done);
        }),
    },
  };
}
