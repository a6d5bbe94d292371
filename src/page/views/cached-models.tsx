import { useEffect, useState } from "preact/hooks";
import type { ModelList } from "../../server/api.ts";
import { get } from "../ask.ts";
import { size } from "../format.ts";
import { given } from "./new-run-fields.tsx";

const TITLES = { model: "models", reward: "reward models" } as const;

/** The models in the hub's cache, which need not be fetched, with what they take on the disk; one is taken by its button. */
export function CachedModels() {
  const [list, show] = useState<ModelList | undefined>(undefined);
  useEffect(() => {
    // without the list a name can be typed all the same
    get<ModelList>("/api/models").then(show, () => undefined);
  }, []);
  const known = list?.models.filter(({ kind }) => kind !== "other") ?? [];
  if (list === undefined || known.length === 0) return null;
  const others = list.models.length - known.length;
  return (
    <details>
      <summary>Models that are here already</summary>
      {(["model", "reward"] as const).map((kind) => {
        const own = known.filter((each) => each.kind === kind);
        return own.length === 0 ? null : (
          <div key={kind}>
            <h3>{TITLES[kind]}</h3>
            <ul class="models">
              {own.map(({ name, bytes, isPartial }) => (
                <li key={name}>
                  <button
                    type="button"
                    aria-pressed={given.value[kind] === name}
                    onClick={() => (given.value = { ...given.value, [kind]: name })}
                  >
                    {name}
                  </button>{" "}
                  <small>
                    {size(bytes)}
                    {isPartial && ", not all of it is fetched"}
                  </small>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
      <p class="hint">
        In <code>{list.cache}</code>
        {others > 0 && `, beside ${others} of other kinds`}.
      </p>
    </details>
  );
}
