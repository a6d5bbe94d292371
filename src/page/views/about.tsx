import { useEffect, useState } from "preact/hooks";
import { Html } from "../../report/html.ts";
import { get } from "../ask.ts";
import { Markup } from "../parts/markup.tsx";
import type { RunStore } from "../run-store.ts";
import { saidBy } from "../../system/said-by.ts";

/** What the report says beside curves and validations: what it trained with, and its settings; and the report itself. */
export function About({ store }: { readonly store: RunStore }) {
  const [sections, show] = useState<string | undefined>(undefined);
  const [problem, tellProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    get<{ readonly html: string }>(`/api/runs/${store.id}/sections`).then(
      ({ html }) => show(html),
      (error: unknown) => tellProblem(saidBy(error)),
    );
  }, [store]);
  return (
    <>
      <p class="hint">
        In <code>{store.view.value?.folder}</code>.{" "}
        <a href={`/api/runs/${store.id}/report.html`} download>
          The report as one file
        </a>
        , which needs no network and can be sent to anybody.{" "}
        <a href={`/api/runs/${store.id}/pictures.zip`} download>
          All pictures as one archive
        </a>
        .
      </p>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {sections !== undefined && <Markup of={new Html(sections)} class="about-run" />}
    </>
  );
}
