import { Notice } from "./notice.tsx";
import { route } from "./route.ts";
import { ThemeButton } from "./theme.tsx";
import { Library } from "./views/library.tsx";
import { RunPage } from "./views/run.tsx";

export function App() {
  const now = route.value;
  return (
    <>
      <header class="top">
        <a class="brand" href="#/">
          rpo
        </a>
        <nav aria-label="Views">
          <a href="#/" aria-current={now.view === "library" ? "page" : undefined}>
            Runs
          </a>
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
