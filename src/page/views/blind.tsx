import { useState } from "preact/hooks";
import { choices } from "../../reward/choice.ts";
import type { RunView } from "../../server/api.ts";
import { send } from "../ask.ts";
import { stepName } from "../format.ts";
import { attempt } from "../notice.tsx";
import { layoutOf } from "../parts/grid.tsx";
import { Picture } from "../parts/picture.tsx";
import type { RunStore } from "../run-store.ts";

/** Candidates at a time: more than these nobody compares at a glance. */
const MOST_CANDIDATES = 4;

interface Vote {
  readonly picture: number;
  readonly step: number | null;
}

/** A round of looking: which steps, and which of the validation's pictures, each in an order of its own. */
interface Round {
  readonly candidates: readonly number[];
  readonly questions: readonly { readonly picture: number; readonly order: readonly number[] }[];
}

/** Choosing without knowing: pictures of one prompt and noise, their order shuffled, scores and steps hidden. The votes stay in the run's folder. */
export function Blind({ store }: { readonly store: RunStore }) {
  const [round, setRound] = useState<Round | undefined>(undefined);
  const [votes, setVotes] = useState<readonly Vote[]>([]);
  const view = store.view.value;
  if (view === undefined) return null;
  const candidates = candidatesOf(store, view);
  const begin = (): void => {
    setVotes([]);
    setRound(shuffle(candidates, view));
  };
  const vote = async (picture: number, step: number | null): Promise<void> => {
    if (round === undefined) return;
    const all = [...votes, { picture, step }];
    setVotes(all);
    if (all.length < round.questions.length) return;
    await attempt(
      () => send("POST", `/api/runs/${store.id}/votes`, { candidates: round.candidates, votes: all }),
      "Your votes are in the run's folder.",
    );
    setRound(undefined);
  };
  return (
    <section aria-labelledby="blind-title">
      <h2 id="blind-title">Blind</h2>
      <p>
        Pictures of the same prompt and noise, without step or score and in another order each time: take the one that
        you would keep. What you liked is counted afterwards.
      </p>
      {round === undefined ? (
        <>
          <button type="button" disabled={candidates.length < 2} onClick={begin}>
            Begin: {candidates.length} checkpoints
          </button>
          <Tally view={view} />
        </>
      ) : (
        <Question
          store={store}
          view={view}
          question={round.questions[votes.length]}
          progress={`${votes.length + 1} of ${round.questions.length}`}
          vote={(picture, step) => void vote(picture, step)}
          leave={() => setRound(undefined)}
        />
      )}
    </section>
  );
}

/** What some lambda chooses, the last one, and evenly between where there is room. */
function candidatesOf(store: RunStore, view: RunView): readonly number[] {
  const there = new Set(view.facts.checkpoints.map(({ step }) => step));
  const steps = store.validations.value.map(({ step }) => step).filter((step) => there.has(step));
  const wanted = new Set(choices(store.validations.value, store.scale.value).map(({ step }) => step));
  const last = steps.at(-1);
  if (last !== undefined) wanted.add(last);
  for (let i = 1; i < MOST_CANDIDATES; i++) {
    const step = steps[Math.round((i * (steps.length - 1)) / MOST_CANDIDATES)];
    if (wanted.size < MOST_CANDIDATES && step !== undefined) wanted.add(step);
  }
  return steps.filter((step) => wanted.has(step)).slice(-MOST_CANDIDATES);
}

function shuffle(candidates: readonly number[], view: RunView): Round {
  const { noises, prompts } = layoutOf(view.state.validations[0], view.settings.validationImages);
  const pictures = prompts.map((_, p) => p * noises + Math.floor(Math.random() * noises));
  return { candidates, questions: inAnyOrder(pictures).map((picture) => ({ picture, order: inAnyOrder(candidates) })) };
}

/** Fisher and Yates. */
function inAnyOrder<T>(list: readonly T[]): T[] {
  const shuffled = [...list];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  return shuffled;
}

interface QuestionProps {
  readonly store: RunStore;
  readonly view: RunView;
  readonly question: Round["questions"][number] | undefined;
  readonly progress: string;
  readonly vote: (picture: number, step: number | null) => void;
  readonly leave: () => void;
}

function Question({ store, view, question, progress, vote, leave }: QuestionProps) {
  if (question === undefined) return null;
  const { picture, order } = question;
  const imageOf = (step: number) => view.state.validations.find((each) => each.step === step)?.images[picture];
  return (
    <div class="blind">
      <h3>
        {imageOf(order[0])?.prompt} <small>{progress}</small>
      </h3>
      <div class="blind-pictures">
        {order.map((step, i) => {
          const image = imageOf(step);
          return image === undefined ? null : (
            <button
              key={`${picture} ${step}`}
              type="button"
              class="zoom"
              aria-label={`take picture ${i + 1}`}
              onClick={() => vote(picture, step)}
            >
              <Picture
                run={store.id}
                path={image.image}
                version={image.sha256}
                side={view.settings.resolution}
                thumb={640}
                alt={`picture ${i + 1}`}
              />
            </button>
          );
        })}
      </div>
      <p class="controls">
        <button type="button" onClick={() => vote(picture, null)}>
          none of them
        </button>
        <button type="button" onClick={leave}>
          leave it
        </button>
      </p>
    </div>
  );
}

function Tally({ view }: { readonly view: RunView }) {
  const { votes } = view.facts;
  if (votes.length === 0) return null;
  const most = votes[0].votes;
  return (
    <table class="numbers tally">
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">liked best</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {votes.map(({ step, votes: count }) => (
          <tr key={step} class={count === most ? "chosen" : ""}>
            <th scope="row">{stepName(step)}</th>
            <td>{count}</td>
            <td class="bar-cell">
              <meter min={0} max={most} value={count} aria-label={`${count} of ${most}`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
