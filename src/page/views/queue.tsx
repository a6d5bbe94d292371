import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { QueueJob, QueueView } from "../../server/api.ts";
import { get, send } from "../ask.ts";
import { attempt } from "../notice.tsx";
import { runAddress } from "../route.ts";

const queue = signal<QueueView | undefined>(undefined);
const REFRESH_MS = 1500;

async function refresh(): Promise<void> {
  queue.value = await get<QueueView>("/api/queue").catch(() => queue.value);
}

async function act(work: Promise<unknown>): Promise<void> {
  await attempt(() => work);
  await refresh();
}

/** Trainings one after the other. */
export function Queue() {
  useEffect(() => {
    document.title = "rpo: queue";
    void refresh();
    const timer = setInterval(() => !document.hidden && void refresh(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const now = queue.value;
  if (now === undefined) return <p class="empty">Looking …</p>;
  const waiting = now.jobs.filter(({ state }) => state === "waiting");
  return (
    <>
      <div class="heading">
        <h1>Queue</h1>
        {now.isKept && (
          <button
            type="button"
            aria-pressed={now.paused}
            onClick={() => void act(send("POST", "/api/queue", { paused: !now.paused }))}
          >
            {now.paused ? "paused: go on" : "pause"}
          </button>
        )}
      </div>
      {now.problems.map((problem) => (
        <p key={problem} class="problem" role="status">
          {problem}
        </p>
      ))}
      <p class="hint">
        {!now.isKept
          ? "Runs are shown all the same. This server takes the queue over when it can."
          : now.paused
            ? "One training at a time. Nothing is begun while the queue is paused; what trains goes on."
            : "One training at a time. A training goes on when this server ends."}
      </p>
      {!now.isKept ? null : now.jobs.length === 0 ? (
        <p class="empty">
          Nothing waits. <a href="#/new">A new run</a>
        </p>
      ) : (
        <ol class="queue">
          {now.jobs.map((job) => (
            <Job key={job.id} job={job} place={waiting.indexOf(job)} last={waiting.length - 1} />
          ))}
        </ol>
      )}
    </>
  );
}

const STATES: Readonly<Record<QueueJob["state"], string>> = {
  waiting: "waits",
  running: "training",
  done: "finished",
  stopped: "stopped",
  failed: "failed",
};
const CLASSES: Readonly<Record<QueueJob["state"], string>> = {
  waiting: "",
  running: "live",
  done: "finished",
  stopped: "stopped",
  failed: "failed",
};

/** @param place among those that wait; -1 of others */
function Job({ job, place, last }: { readonly job: QueueJob; readonly place: number; readonly last: number }) {
  const { id, label, state, output, message, run } = job;
  const move = (by: 1 | -1) => act(send("POST", `/api/queue/${id}/move`, { by }));
  const isEnded = state !== "waiting" && state !== "running";
  return (
    <li class="job">
      <div>
        <h2>{run === undefined ? label : <a href={runAddress(run)}>{label}</a>}</h2>
        <p>
          <span class={`status ${CLASSES[state]}`}>{STATES[state]}</span> <code>{output}</code>
        </p>
        {message !== undefined && <p class="problem">{message}</p>}
      </div>
      <p class="actions">
        {place >= 0 && (
          <>
            <button type="button" aria-label={`${label}: earlier`} disabled={place === 0} onClick={() => void move(-1)}>
              ↑
            </button>
            <button type="button" aria-label={`${label}: later`} disabled={place === last} onClick={() => void move(1)}>
              ↓
            </button>
          </>
        )}
        <button type="button" onClick={() => void act(send("DELETE", `/api/queue/${id}`))}>
          {state === "running" ? "stop" : isEnded ? "clear" : "cancel"}
        </button>
      </p>
    </li>
  );
}
