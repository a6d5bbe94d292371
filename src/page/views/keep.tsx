import { bestStep } from "../../reward/choice.ts";
import type { ScoredImage } from "../../runs/events.ts";
import { send } from "../ask.ts";
import { stepName } from "../format.ts";
import { attempt } from "../notice.tsx";
import { layoutOf } from "../parts/grid.tsx";
import { Picture } from "../parts/picture.tsx";
import type { RunStore } from "../run-store.ts";

/** What the reward chooses beside what is looked at, each with a button that keeps it. */
export function Keep({ store, lambda }: { readonly store: RunStore; readonly lambda: number }) {
  const view = store.view.value;
  if (view === undefined) return null;
  const chosen = bestStep(store.validations.value, lambda, store.scale.value)?.step ?? 0;
  const seen = store.shown.value;
  const { best, votes, checkpoints } = view.facts;
  const isThere = seen === 0 || checkpoints.some(({ step }) => step === seen);
  const byReward = () =>
    attempt(
      () => send("POST", `/api/runs/${store.id}/select`, { lambda }),
      `Kept: ${stepName(chosen)}, as rpo select chooses for λ ${lambda}.`,
    );
  const byHand = () =>
    attempt(() => send("POST", `/api/runs/${store.id}/keep`, { step: seen, lambda }), `Kept: ${stepName(seen)}.`);
  return (
    <>
      <div class="keepers">
        <Keeper
          store={store}
          step={chosen}
          title="chosen by the reward"
          note={`at λ ${lambda.toFixed(2)}`}
          isKept={best?.step === chosen}
        >
          <button type="button" onClick={() => void byReward()}>
            Keep what the reward chooses
          </button>
        </Keeper>
        <Keeper
          store={store}
          step={seen}
          title="chosen by me"
          note={
            !isThere
              ? "its checkpoint is not on the disk"
              : votes.length === 0
                ? "the step at the cursor"
                : `blind: ${votes.map((each) => `${stepName(each.step)} ${each.votes}×`).join(", ")}`
          }
          isKept={best?.step === seen}
        >
          <button type="button" class="main" disabled={!isThere} onClick={() => void byHand()}>
            Keep this one: {stepName(seen)}
          </button>
        </Keeper>
      </div>
      <p class="hint">
        {best === undefined
          ? "Nothing is kept yet."
          : `Drawn with and exported now: ${stepName(best.step)}, ${best.chosenBy === "person" ? "kept by hand" : `chosen by the reward${best.lambda === undefined ? "" : ` for λ ${best.lambda}`}`}.`}
        {view.facts.live && " The run goes on, and chooses again for its own λ when it ends."}
      </p>
    </>
  );
}

/** Prompts whose pictures stand for a step. */
const SHOWN = 4;

function Keeper({
  store,
  step,
  title,
  note,
  isKept,
  children,
}: {
  readonly store: RunStore;
  readonly step: number;
  readonly title: string;
  readonly note: string;
  readonly isKept: boolean;
  readonly children: preact.ComponentChildren;
}) {
  const view = store.view.value;
  if (view === undefined) return null;
  const { prompts, noises } = layoutOf(view.state.validations[0], view.settings.validationImages);
  const images: readonly ScoredImage[] = view.state.validations.find((each) => each.step === step)?.images ?? [];
  return (
    <article class={`keeper ${isKept ? "kept" : ""}`}>
      <h3>
        {title}: {stepName(step)}
        {isKept && <small> kept</small>}
      </h3>
      <div class="keeper-pictures">
        {prompts.slice(0, SHOWN).map((prompt, p) => {
          const image = images[p * noises];
          return image === undefined ? null : (
            <Picture
              key={p}
              run={store.id}
              path={image.image}
              version={image.sha256}
              side={view.settings.resolution}
              thumb={320}
              alt={`${prompt}, ${stepName(step)}`}
            />
          );
        })}
      </div>
      <p class="hint">{note}</p>
      {children}
    </article>
  );
}
