import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { CostEstimate } from "../../runs/events.ts";
import type { CheckedTraining, FormGroup } from "../../server/api.ts";
import { get, send } from "../ask.ts";
import { duration, pace, size } from "../format.ts";
import { attempt } from "../notice.tsx";
import { CachedModels } from "./cached-models.tsx";
import { useWish } from "../parts/wish.ts";
import { Dropped, folder, PhotoPicker } from "./photo-picker.tsx";
import { Field, given, valuesGiven } from "./new-run-fields.tsx";
import { saidBy } from "../../system/said-by.ts";

const groups = signal<readonly FormGroup[]>([]);

/** Photos, a class word, and what matters: a new run, checked and measured before it begins. */
export function NewRun() {
  const [checked, setChecked] = useState<CheckedTraining | undefined>(undefined);
  const [cost, setCost] = useState<CostEstimate | undefined>(undefined);
  const [isBusy, setBusy] = useState<string | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    document.title = "rpo: new run";
    get<{ readonly groups: readonly FormGroup[] }>("/api/training/form").then(
      (form) => (groups.value = form.groups),
      (error: unknown) => setProblem(String(error)),
    );
  }, []);
  const settings = () => ({ ...valuesGiven(groups.value), images: folder.value });
  const during = async (text: string, work: () => Promise<void>): Promise<void> => {
    setBusy(text);
    setProblem(undefined);
    await work().catch((error: unknown) => setProblem(saidBy(error)));
    setBusy(undefined);
  };
  const check = () =>
    during("checking …", async () => {
      setCost(undefined);
      setChecked(undefined);
      setChecked(await send<CheckedTraining>("POST", "/api/training/check", { settings: settings() }));
    });
  const measuring = useWish();
  const measure = () =>
    during("measuring a step and a picture …", async () =>
      setCost(await send<CostEstimate>("POST", "/api/training/estimate", { settings: settings() }, measuring.begin())),
    );
  const start = () =>
    during("adding …", async () => {
      const isDone = await attempt(
        () => send("POST", "/api/training/start", { settings: settings() }),
        "It is in the queue.",
      );
      if (!isDone) return;
      folder.value = "";
      location.hash = "#/queue";
    });
  const [first, ...others] = groups.value;
  const method = given.value["method"] || "rpo";
  const isReady = folder.value !== "" && (given.value["class"] ?? "").trim() !== "";
  return (
    <form class="new-run" onSubmit={(event) => event.preventDefault()}>
      <h1>New run</h1>
      <PhotoPicker
        resolution={given.value["resolution"] || usualResolution()}
        crop={given.value["crop"]}
        model={given.value["model"]}
      />
      <section>
        <h2>What it is</h2>
        <Field field={CLASS} />
      </section>
      {first !== undefined && (
        <section>
          <h2>What matters first</h2>
          <div class="fields">
            {first.fields.map((field) => (
              <Field key={field.key} field={field} />
            ))}
          </div>
          <CachedModels />
          {others.map(({ title, fields }) => {
            const shown = fields.filter(({ methods }) => methods === undefined || methods.includes(method));
            return shown.length === 0 ? null : (
              <details key={title}>
                <summary>{title}</summary>
                <div class="fields">
                  {shown.map((field) => (
                    <Field key={field.key} field={field} />
                  ))}
                </div>
              </details>
            );
          })}
        </section>
      )}
      <section>
        <h2>Before it begins</h2>
        <p class="controls">
          <button type="button" disabled={!isReady || isBusy !== undefined} onClick={() => void check()}>
            Check
          </button>
          <button type="button" disabled={!isReady || isBusy !== undefined} onClick={() => void measure()}>
            Measure the cost
          </button>
          <button type="button" class="main" disabled={!isReady || isBusy !== undefined} onClick={() => void start()}>
            Start
          </button>
          <span class="hint" role="status">
            {isBusy ?? (isReady ? "" : "photos and a class word first")}
          </span>
        </p>
        {problem !== undefined && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {cost !== undefined && (
          <p>
            {cost.steps} steps of {pace(cost.secondsPerStep)} and {cost.pictures} pictures to draw: at most{" "}
            <b>{duration(cost.seconds)}</b>, about {size(cost.peakBytes)} of memory.
          </p>
        )}
        {checked !== undefined && <Checked of={checked} />}
        {Dropped.value > 0 && (
          <p class="hint">Dropped photos stay below the folder of runs, for the run to go on with.</p>
        )}
      </section>
    </form>
  );
}

/** Of the model, as far as its name tells. */
function usualResolution(): string {
  const model = given.value["model"] ?? "";
  if (model === "" || model === "tiny") return "64";
  return /xl/i.test(model) ? "1024" : "512";
}

const CLASS = {
  key: "class",
  name: "class word",
  help: 'what the subject is, such as "dog": it stands in every prompt',
};

function Checked({ of: { prompts, notes, photos, steps, device } }: { readonly of: CheckedTraining }) {
  return (
    <>
      <p>
        Ready: {photos} {photos === 1 ? "photo" : "photos"}, at most {steps} steps, on {device}.
      </p>
      {notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
      <h3>Prompts</h3>
      <ul class="prompts">
        {prompts.training.map((prompt) => (
          <li key={prompt}>{prompt}</li>
        ))}
      </ul>
      {prompts.validation.join() !== prompts.training.join() && (
        <>
          <h3>Prompts of the validations</h3>
          <ul class="prompts">
            {prompts.validation.map((prompt) => (
              <li key={prompt}>{prompt}</li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
