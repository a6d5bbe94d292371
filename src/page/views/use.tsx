import { subjectNames, subjectsOf } from "../../settings/subjects.ts";
import { useEffect, useState } from "preact/hooks";
import type { DrawnPairs } from "../../server/api.ts";
import { send } from "../ask.ts";
import { stepName } from "../format.ts";
import { useWish } from "../parts/wish.ts";
import type { RunStore } from "../run-store.ts";
import { saidBy } from "../../system/said-by.ts";

/** The chosen checkpoint: pictures of any prompt beside the starting model's, and files to take elsewhere. */
export function Use({ store }: { readonly store: RunStore }) {
  const view = store.view.value;
  if (view === undefined) return null;
  const { best } = view.facts;
  if (best === undefined) return <p class="hint">Nothing is chosen yet: that comes with the first validation.</p>;
  return (
    <>
      <section>
        <h2>Try it</h2>
        <Try store={store} />
      </section>
      <section>
        <h2>Take it along</h2>
        <Files id={store.id} step={best.step} isLora={view.settings.adapter === "lora"} isJudged={view.isJudged} />
      </section>
    </>
  );
}

interface Shown {
  readonly seed: number;
  readonly start: string;
  readonly chosen: string;
}

function Try({ store }: { readonly store: RunStore }) {
  const settings = store.view.value?.settings;
  const subjects = settings === undefined ? [] : subjectsOf(settings);
  const named = subjects.map(({ token, class: className }) => `a ${token} ${className}`);
  const [prompt, setPrompt] = useState(`${named.join(" beside ")} on the beach`);
  const [seed, setSeed] = useState(0);
  const [shown, show] = useState<readonly Shown[]>([]);
  const [state, setState] = useState<{ readonly text: string; readonly isProblem?: boolean }>({ text: "" });
  const [isBusy, setBusy] = useState(false);
  useEffect(() => () => shown.forEach(forget), [shown]);
  const drawing = useWish();
  const draw = async (): Promise<void> => {
    setBusy(true);
    setState({ text: "loading the model and drawing; the starting model first …" });
    const signal = drawing.begin();
    try {
      const wish = { prompt, seed, count: 2 };
      const { pictures } = await send<DrawnPairs>("POST", `/api/runs/${store.id}/draw`, wish, signal);
      show(pictures.map((each) => ({ seed: each.seed, start: addressOf(each.start), chosen: addressOf(each.chosen) })));
      setState({ text: "" });
    } catch (error) {
      const text = saidBy(error);
      setState(signal.aborted ? { text: "given up" } : { text, isProblem: true });
    }
    setBusy(false);
  };
  const step = store.view.value?.facts.best?.step ?? 0;
  const isSmall = (settings?.resolution ?? 512) <= 256;
  return (
    <form
      class="try"
      onSubmit={(event) => {
        event.preventDefault();
        void draw();
      }}
    >
      <label class="field wide">
        <span>prompt</span>
        <input
          type="text"
          value={prompt}
          maxLength={2000}
          onInput={({ currentTarget }) => setPrompt(currentTarget.value)}
        />
        <small>
          <b>{subjects.length > 0 && subjectNames(subjects)}</b>{" "}
          {subjects.length > 1 ? "are your subjects" : "is your subject"}
        </small>
      </label>
      <label class="field">
        <span>seed</span>
        <input
          type="number"
          min={0}
          value={seed}
          onInput={({ currentTarget }) => setSeed(Math.max(0, Math.floor(Number(currentTarget.value))))}
        />
      </label>
      <p class="controls">
        <button type="submit" class="main" disabled={isBusy || prompt.trim() === ""}>
          Draw
        </button>
        <button type="button" disabled={isBusy} onClick={() => setSeed(seed + 2)}>
          next seeds
        </button>
        {isBusy && (
          <button type="button" onClick={drawing.giveUp}>
            Give up
          </button>
        )}
        <span class={state.isProblem === true ? "problem" : "hint"} role="status">
          {state.text}
        </span>
      </p>
      {shown.length > 0 && (
        <div class="tried">
          {shown.map((pair) => (
            <figure key={pair.seed} class="pair">
              <img
                src={pair.start}
                alt={`${prompt}, starting model, seed ${pair.seed}`}
                class={isSmall ? "pixels" : undefined}
              />
              <img
                src={pair.chosen}
                alt={`${prompt}, ${stepName(step)}, seed ${pair.seed}`}
                class={isSmall ? "pixels" : undefined}
              />
              <figcaption>
                <span>starting model, seed {pair.seed}</span>
                <span>
                  {stepName(step)} ·{" "}
                  <a href={pair.chosen} download={`${step}-${pair.seed}.png`}>
                    save
                  </a>
                </span>
              </figcaption>
            </figure>
          ))}
        </div>
      )}
    </form>
  );
}

function addressOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
}

function forget({ start, chosen }: Shown): void {
  URL.revokeObjectURL(start);
  URL.revokeObjectURL(chosen);
}

interface FilesOf {
  readonly id: string;
  readonly step: number;
  readonly isLora: boolean;
  readonly isJudged: boolean;
}

function Files({ id, step, isLora, isJudged }: FilesOf) {
  if (step === 0) return <p class="hint">The starting model is chosen: there is nothing to take along.</p>;
  const file = (name: string): string => `/api/runs/${id}/checkpoints/${step}/${name}`;
  return (
    <ul class="files">
      {isJudged ? (
        <li>The file of {stepName(step)} is where its trainer put it: rpo judge copies none.</li>
      ) : isLora ? (
        <>
          <li>
            <a href={`/api/runs/${id}/kohya.safetensors`} download>
              LoRA for ComfyUI, A1111 and Forge
            </a>{" "}
            <small>kohya's format, float16</small>
          </li>
          <li>
            LoRA for diffusers and PEFT:{" "}
            <a href={file("adapter_model.safetensors")} download>
              adapter_model.safetensors
            </a>{" "}
            and{" "}
            <a href={file("adapter_config.json")} download>
              adapter_config.json
            </a>
            <small>, both into one folder</small>
          </li>
        </>
      ) : (
        <li>
          The U-Net, for diffusers:{" "}
          <a href={file("diffusion_pytorch_model.safetensors")} download>
            diffusion_pytorch_model.safetensors
          </a>{" "}
          and{" "}
          <a href={file("config.json")} download>
            config.json
          </a>
        </li>
      )}
      <li>
        <a href={`/api/runs/${id}/report.html`} download>
          The report
        </a>{" "}
        <small>one file that needs no network</small>
      </li>
    </ul>
  );
}
