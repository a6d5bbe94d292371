import { useEffect, useState } from "preact/hooks";
import type { BenchRow } from "../../server/api.ts";
import { get } from "../ask.ts";
import { benchAddress } from "../route.ts";

/** The benchmarks beside the runs; nothing where there are none. */
export function Benches() {
  const [benches, show] = useState<readonly BenchRow[]>([]);
  useEffect(() => {
    get<{ readonly benches: readonly BenchRow[] }>("/api/benches").then(
      (found) => show(found.benches),
      // the library says what is wrong with the server
      () => undefined,
    );
  }, []);
  if (benches.length === 0) return null;
  return (
    <section>
      <h2>Benchmarks</h2>
      <ul class="benches">
        {benches.map(({ id, name, rows, isLive }) => (
          <li key={id}>
            <a href={benchAddress(id)}>{name}</a>{" "}
            <small>
              {rows === undefined ? "not begun" : `${rows.done} of ${rows.total} rows`}
              {isLive && ", at work"}
            </small>
          </li>
        ))}
      </ul>
    </section>
  );
}
