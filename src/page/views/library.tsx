import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RowState, RunList, RunRow } from "../../server/api.ts";
import { pictureUrl } from "../../server/urls.ts";
import { get, send } from "../ask.ts";
import { ago, short, size, stepName } from "../format.ts";
import { attempt, tell } from "../notice.tsx";
import { Benches } from "./benches.tsx";
import { compareAddress, MOST_COMPARED, runAddress } from "../route.ts";
import { saidBy } from "../../system/said-by.ts";

const listing = signal<RunList | undefined>(undefined);
const problem = signal<string | undefined>(undefined);
const showsArchived = signal(false);
/** Runs to compare, by their ids. */
const marked = signal<readonly string[]>([]);
/** The run that is asked about. */
const deleting = signal<RunRow | undefined>(undefined);

function mark(id: string, isMarked: boolean): void {
  const others = marked.value.filter((each) => each !== id);
  marked.value = isMarked ? [...others, id].slice(-MOST_COMPARED) : others;
}

/** Milliseconds between two looks at the folders of runs, while somebody looks. */
const REFRESH_MS = 4000;

async function refresh(): Promise<void> {
  try {
    listing.value = await get<RunList>("/api/runs");
    problem.value = undefined;
  } catch (error) {
    problem.value = saidBy(error);
  }
}

/** All runs on the disk. */
export function Library() {
  useEffect(() => {
    document.title = "rpo: runs";
    void refresh();
    const timer = setInterval(() => !document.hidden && void refresh(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const known = listing.value;
  if (known === undefined) return <p class="empty">{problem.value ?? "Looking for runs …"}</p>;
  const shown = known.runs.filter(({ archived }) => archived === showsArchived.value);
  const archived = known.runs.filter((run) => run.archived).length;
  return (
    <>
      <div class="heading">
        <h1>Runs</h1>
        {(archived > 0 || showsArchived.value) && (
          <button
            type="button"
            aria-pressed={showsArchived.value}
            onClick={() => (showsArchived.value = !showsArchived.value)}
          >
            archive ({archived})
          </button>
        )}
      </div>
      {marked.value.length > 0 && (
        <p class="controls">
          {marked.value.length > 1 ? (
            <a class="button" href={compareAddress(marked.value)}>
              Compare {marked.value.length} runs
            </a>
          ) : (
            <span class="hint">mark another one to compare with</span>
          )}
          <button type="button" onClick={() => (marked.value = [])}>
            none
          </button>
        </p>
      )}
      {deleting.value !== undefined && <DeleteRun run={deleting.value} />}
      <p class="hint">
        In {known.roots.map((root, i) => [i > 0 && ", ", <code key={root}>{root}</code>])}
        {[problem.value, known.problem].map(
          (text) =>
            text !== undefined && (
              <b key={text} class="problem">
                {" "}
                {text}
              </b>
            ),
        )}
      </p>
      {shown.length === 0 ? <Nothing isArchive={showsArchived.value} /> : <ul class="library">{shown.map(card)}</ul>}
      <Benches />
    </>
  );
}

function Nothing({ isArchive }: { readonly isArchive: boolean }) {
  if (isArchive) return <p class="empty">The archive is empty.</p>;
  return (
    <p class="empty">
      No runs yet. <code>rpo demo</code> makes one in two minutes; <code>rpo train</code> makes one of your photos.
    </p>
  );
}

const STATES: Readonly<Record<RowState, string>> = {
  live: "training",
  stopped: "stopped",
  finished: "finished",
  failed: "failed",
  damaged: "cannot be read",
};

function card(run: RunRow) {
  const { id, name, state, step, steps, best, picture } = run;
  return (
    <li key={id} class="card">
      <a href={runAddress(id)} class="card-picture" tabIndex={-1} aria-hidden="true">
        {picture === undefined ? (
          <span class="missing">no picture</span>
        ) : (
          <img src={pictureUrl(id, picture, { side: 320 })} alt="" loading="lazy" />
        )}
      </a>
      <div class="card-text">
        <h2>
          <a href={runAddress(id)}>{name}</a>
        </h2>
        <p class="about">
          {run.subject}
          {run.method !== "" && `, ${run.method}`}
        </p>
        <p>
          <span class={`status ${state}`}>{STATES[state]}</span>{" "}
          {steps > 0 && (
            <span>
              {step} of {steps} steps
            </span>
          )}
        </p>
        {run.problem !== undefined && <p class="problem">{run.problem}</p>}
        {best !== undefined && (
          <p>
            {best.chosenBy === "person" ? "kept" : "best"}: <b>{stepName(best.step)}</b>
            {best.reward !== undefined && `, reward ${short(best.reward)}`}
          </p>
        )}
        <p class="hint">
          {size(run.bytes)}, {ago(run.changed)}
        </p>
        <p class="actions">
          <label class="inline">
            <input
              type="checkbox"
              checked={marked.value.includes(id)}
              onChange={({ currentTarget }) => mark(id, currentTarget.checked)}
            />{" "}
            compare
          </label>
          <button
            type="button"
            onClick={() => void setArchived(run)}
            aria-label={`${run.archived ? "take back" : "archive"} ${name}`}
          >
            {run.archived ? "take back" : "archive"}
          </button>
          {run.archived && (
            <button type="button" class="danger" onClick={() => (deleting.value = run)} aria-label={`delete ${name} …`}>
              delete …
            </button>
          )}
        </p>
      </div>
    </li>
  );
}

async function setArchived({ id, name, archived }: RunRow): Promise<void> {
  const isDone = await attempt(
    () => send("POST", `/api/runs/${id}/archive`, { archived: !archived }),
    archived ? `${name} is back` : `${name} is in the archive`,
  );
  if (isDone) await refresh();
}

/** Asks for the run's name, so that none is deleted by mistake. */
function DeleteRun({ run }: { readonly run: RunRow }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [name, setName] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const remove = async (): Promise<void> => {
    const isDone = await attempt(async () => {
      const { isGone } = await send<{ readonly isGone: boolean }>("DELETE", `/api/runs/${run.id}`, { name });
      tell(isGone ? `${run.name} is gone.` : `${run.name} is gone but for files that are not its own.`);
    });
    if (isDone) deleting.value = undefined;
    await refresh();
  };
  return (
    <dialog ref={dialog} aria-label={`Delete ${run.name}`} onClose={() => (deleting.value = undefined)}>
      <h2>Delete {run.name}?</h2>
      <p>
        {size(run.bytes)}: its pictures, checkpoints and figures. Nothing brings them back. Files of yours in its folder
        stay.
      </p>
      <label class="field">
        <span>its name, to be sure</span>
        <input
          type="text"
          value={name}
          autocomplete="off"
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <p class="controls">
        <button type="button" onClick={() => (deleting.value = undefined)}>
          Leave it
        </button>
        <button type="button" class="danger" disabled={name !== run.name} onClick={() => void remove()}>
          Delete it
        </button>
      </p>
    </dialog>
  );
}
