import { Notice } from "./notice.tsx";
import { route } from "./route.ts";
import { ThemeButton } from "./theme.tsx";
import { Bench } from "./views/bench.tsx";
import { Compare } from "./views/compare.tsx";
import { Library } from "./views/library.tsx";
import { NewRun } from "./views/new-run.tsx";
import { Queue } from "./views/queue.tsx";
import { RunPage } from "./views/run.tsx";

const PLACES = [
  ["library", "#/", "Runs"],
  ["new", "#/new", "New run"],
  ["queue", "#/queue", "Queue"],
] as const;

export function App() {
  const now = route.value;
  return (
    <>
      <header class="top">
        <a class="brand" href="#/">
          rpo
        </a>
        <nav aria-label="Views">
          {PLACES.map(([view, address, text]) => (
            <a key={view} href={address} aria-current={now.view === view ? "page" : undefined}>
              {text}
            </a>
          ))}
        </nav>
        <ThemeButton />
      </header>
      <main>{viewOf(now)}</main>
      <Notice />
    </>
  );
}

function viewOf(now: typeof route.value) {
  switch (now.view) {
    case "library":
      return <Library />;
    case "new":
      return <NewRun />;
    case "queue":
      return <Queue />;
    case "compare":
      return <Compare key={now.ids.join()} ids={now.ids} />;
    case "bench":
      return <Bench key={now.id} id={now.id} />;
    case "run":
      return <RunPage key={now.id} id={now.id} tab={now.tab} />;
    case "lost":
      return (
        <p class="empty">
          There is nothing at this address. <a href="#/">All runs</a>
        </p>
      );
  }
}
