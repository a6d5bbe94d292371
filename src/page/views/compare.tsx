import { useEffect, useMemo, useState } from "preact/hooks";
import { frontierChart } from "../../report/charts/frontier.ts";
import { plusMinus } from "../../report/charts/marks.ts";
import { bestStep } from "../../reward/choice.ts";
import { judge, type Judged } from "../../reward/judged.ts";
import { scaleOf } from "../../runs/scale.ts";
import { html } from "../../report/html.ts";
import type { RunView } from "../../server/api.ts";
import { judgedOf } from "../../server/run-state.ts";
import { get } from "../ask.ts";
import { stepName } from "../format.ts";
import { layoutOf } from "../parts/grid.tsx";
import { Markup } from "../parts/markup.tsx";
import { Picture } from "../parts/picture.tsx";
import { runAddress } from "../route.ts";
import { saidBy } from "../../system/said-by.ts";

/** A run with the step that is shown of it. */
interface Compared {
  readonly id: string;
  readonly view: RunView;
  readonly judged: readonly Judged[];
  readonly shown: Judged;
}

/** Runs beside each other, on the same prompts and noises where they have them. */
export function Compare({ ids }: { readonly ids: readonly string[] }) {
  const [views, setViews] = useState<readonly (RunView | string)[] | undefined>(undefined);
  const [steps, setSteps] = useState<Readonly<Record<string, number>>>({});
  useEffect(() => {
    document.title = "rpo: compare";
    const load = (id: string) => get<RunView>(`/api/runs/${id}/view`).catch((error: unknown) => saidBy(error));
    void Promise.all(ids.map(load)).then(setViews);
  }, [ids]);
  const runs = useMemo(
    () => (views ?? []).flatMap((view, i) => comparedOf(ids[i], view, steps[ids[i]])),
    [views, steps],
  );
  if (views === undefined) return <p class="empty">Opening …</p>;
  const problems = views.filter((view) => typeof view === "string");
  if (runs.length === 0) return <p class="empty">{problems[0] ?? "None of these runs has been validated yet."}</p>;
  return (
    <>
      <h1>Compare</h1>
      {problems.map((problem) => (
        <p key={problem} class="problem">
          {problem}
        </p>
      ))}
      <Numbers runs={runs} onStep={(id, step) => setSteps({ ...steps, [id]: step })} />
      <Frontier runs={runs} />
      <Pictures runs={runs} />
    </>
  );
}

/** Nothing of a run that cannot be read, or has no validation. */
function comparedOf(id: string, view: RunView | string, step: number | undefined): readonly Compared[] {
  if (typeof view === "string") return [];
  const { settings, state, facts } = view;
  const validations = judgedOf(state);
  const scale = scaleOf(settings.rewardForm, state.anchors, state.validations);
  const judged = judge(validations, settings.lambda, scale);
  const wanted = step ?? facts.best?.step ?? bestStep(validations, settings.lambda, scale)?.step;
  const shown = judged.find((each) => each.step === wanted) ?? judged.at(-1);
  return shown === undefined ? [] : [{ id, view, judged, shown }];
}

function Numbers({
  runs,
  onStep,
}: {
  readonly runs: readonly Compared[];
  readonly onStep: (id: string, step: number) => void;
}) {
  const hasProgress = runs.some(({ shown }) => shown.progress !== undefined);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Numbers">
      <table class="numbers">
        <thead>
          <tr>
            {[
              "run",
              "method",
              "step",
              "λ",
              "reward",
              "against its start",
              "ALIGN-I",
              "ALIGN-T",
              ...(hasProgress ? ["likeness", "obedience"] : []),
            ].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map(({ id, view, judged, shown }) => (
            <tr key={id}>
              <th scope="row">
                <a href={runAddress(id)}>{view.name}</a>
              </th>
              <td>
                {view.settings.preference || view.settings.method !== "rpo" ? view.settings.method : "photos alone"}
              </td>
              <td>
                <select
                  value={shown.step}
                  aria-label={`step of ${view.name}`}
                  onChange={({ currentTarget }) => onStep(id, Number(currentTarget.value))}
                >
                  {judged.map(({ step }) => (
                    <option key={step} value={step}>
                      {stepName(step)}
                    </option>
                  ))}
                </select>
              </td>
              <td>{view.settings.lambda}</td>
              <td>{plusMinus(shown.reward)}</td>
              <td>{plusMinus(shown.gain)}</td>
              <td>{plusMinus(shown.alignI)}</td>
              <td>{plusMinus(shown.alignT)}</td>
              {hasProgress && (
                <>
                  <td>{shown.progress && plusMinus(shown.progress.likeness)}</td>
                  <td>{shown.progress && plusMinus(shown.progress.obedience)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The first run's way, and where the others stand. */
function Frontier({ runs }: { readonly runs: readonly Compared[] }) {
  const [first, ...others] = runs;
  const { settings, state } = first.view;
  const { form } = scaleOf(settings.rewardForm, state.anchors, state.validations);
  // a run that did not measure its anchors has no place on the calibrated axes
  const placed = others.filter(({ shown }) => form === "harmonic" || shown.progress !== undefined);
  const companions = placed.map(({ view, shown }) => ({ label: view.name, judged: shown }));
  const chart = frontierChart(first.judged, companions, { lambda: settings.lambda, form, chosen: first.shown });
  return (
    <section>
      <h2>Likeness against obedience</h2>
      <Markup
        class="charts one"
        of={html`<figure>
          ${chart}
          <figcaption>
            Dots: the validations of ${first.view.name}. Squares: the others at the steps
            above${placed.length < others.length && ", but for those that did not measure what this form of the reward needs"}.
          </figcaption>
        </figure>`}
      />
    </section>
  );
}

function Pictures({ runs }: { readonly runs: readonly Compared[] }) {
  const [first] = runs;
  const layout = layoutOf(first.view.state.validations[0], first.view.settings.validationImages);
  const others = runs.filter((run) => !isSameNoise(first.view, run.view));
  return (
    <section>
      <h2>Pictures</h2>
      {others.length > 0 && (
        <p class="hint">
          {others.map(({ view }) => view.name).join(", ")}: other prompts or noises than {first.view.name}, so the
          pictures below are of the same place in its list, and not of the same noise.
        </p>
      )}
      <div class="scroll" tabIndex={0} role="region" aria-label="Pictures">
        <table class="grid">
          <thead>
            <tr>
              <td />
              <th scope="col" class="pinned">
                {first.view.name}
                <br />
                start
              </th>
              {runs.map(({ id, view, shown }) => (
                <th key={id} scope="col">
                  {view.name}
                  <br />
                  {stepName(shown.step)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {layout.prompts.map((prompt, p) => (
              <tr key={p}>
                <th scope="row">{prompt}</th>
                <td class="pinned">
                  <Cell run={first} step={0} prompt={p} />
                </td>
                {runs.map((run) => (
                  <td key={run.id}>
                    <Cell run={run} step={run.shown.step} prompt={p} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Cell({
  run: { id, view },
  step,
  prompt,
}: {
  readonly run: Compared;
  readonly step: number;
  readonly prompt: number;
}) {
  const image = view.state.validations.find((each) => each.step === step)?.images[
    prompt * view.settings.validationImages
  ];
  if (image === undefined) return <span class="missing">none</span>;
  return (
    <div class="cell">
      <Picture
        run={id}
        path={image.image}
        version={image.sha256}
        side={view.settings.resolution}
        thumb={320}
        alt={`${image.prompt}, ${view.name}, ${stepName(step)}`}
      />
    </div>
  );
}

/** Whether two runs drew the same prompts from the same noises. */
function isSameNoise(a: RunView, b: RunView): boolean {
  const [left, right] = [a, b].map(({ state }) => state.validations.at(0)?.images ?? []);
  return (
    left.length === right.length &&
    left.every(({ prompt, seed }, i) => prompt === right[i].prompt && seed === right[i].seed)
  );
}
