import { useEffect, useState } from "preact/hooks";
import { Html } from "../../report/html.ts";
import type { BenchTables } from "../../server/api.ts";
import { get } from "../ask.ts";
import { Markup } from "../parts/markup.tsx";
import { saidBy } from "../../system/said-by.ts";

const REFRESH_MS = 10_000;

/** A benchmark's tables, as far as its rows are done. */
export function Bench({ id }: { readonly id: string }) {
  const [tables, show] = useState<BenchTables | undefined>(undefined);
  const [problem, tell] = useState<string | undefined>(undefined);
  useEffect(() => {
    const look = (): void =>
      void get<BenchTables>(`/api/benches/${id}`).then(
        (found) => {
          show(found);
          tell(undefined);
        },
        (error: unknown) => tell(saidBy(error)),
      );
    look();
    const timer = setInterval(() => !document.hidden && look(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [id]);
  const name = tables?.name;
  useEffect(() => void (document.title = `rpo: ${name ?? "benchmark"}`), [name]);
  if (tables === undefined) return <p class="empty">{problem ?? "Opening …"}</p>;
  return (
    <>
      <h1>{tables.name}</h1>
      {problem !== undefined && <p class="problem">{problem}</p>}
      <p class="hint">
        {tables.rows} {tables.rows === 1 ? "row" : "rows"}. {tables.settings}{" "}
        {tables.html !== undefined && (
          <a href={`/api/benches/${id}/report.html`} download>
            Its page, with pictures, as one file
          </a>
        )}
      </p>
      {tables.html === undefined ? (
        <p class="empty">No row is done yet.</p>
      ) : (
        <Markup class="bench" of={new Html(tables.html)} />
      )}
    </>
  );
}
