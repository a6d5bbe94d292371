import { Fragment } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { subjectsOf } from "../../settings/subjects.ts";
import { Controls } from "../parts/controls.tsx";
import { Now } from "../parts/now.tsx";
import { Viewer } from "../parts/viewer.tsx";
import { runAddress, TABS, type Tab } from "../route.ts";
import { moveStep, openRun } from "../run-store.ts";
import { About } from "./about.tsx";
import { Choose } from "./choose.tsx";
import { Use } from "./use.tsx";
import { Watch } from "./watch.tsx";

const NAMES: Readonly<Record<Tab, string>> = { watch: "Watch", choose: "Choose", use: "Use", about: "About" };

/** A run: what it does now, and the views of it. */
export function RunPage({ id, tab }: { readonly id: string; readonly tab: Tab }) {
  const store = useMemo(() => openRun(id), [id]);
  useEffect(() => () => store.close(), [store]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof Element && event.target.closest("input, select, textarea, dialog") !== null;
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      moveStep(store, by);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [store]);
  const [view, connection] = [store.view.value, store.connection.value];
  useEffect(() => void (document.title = `rpo: ${view?.name ?? "run"}`), [view?.name]);
  if (view === undefined)
    return (
      <p class="empty">
        {connection.message ??
          (connection.state === "lost" ? "This run is not here, or the server does not answer." : "Opening …")}{" "}
        <a href="#/">All runs</a>
      </p>
    );
  const { settings } = view;
  return (
    <>
      <div class="run-title">
        <h1>
          {view.name}
          <small>
            {subjectsOf(settings).map(({ token, class: className }, i) => (
              <Fragment key={token}>
                {i > 0 && " and "}a <em>{token}</em> {className}
              </Fragment>
            ))}
            . {view.title}, {settings.adapter === "lora" ? "a LoRA" : "the whole U-Net"}
          </small>
        </h1>
        {connection.state === "lost" && (
          <p class="problem">{connection.message ?? "The server does not answer; this page goes on when it does."}</p>
        )}
        {connection.state === "damaged" && <p class="problem">{connection.message}</p>}
      </div>
      <Now store={store} />
      <Controls store={store} />
      <nav class="tabs" aria-label="Views of this run">
        {TABS.map((each) => (
          <a key={each} href={runAddress(id, each)} aria-current={each === tab ? "page" : undefined}>
            {NAMES[each]}
          </a>
        ))}
      </nav>
      {tab === "watch" && <Watch store={store} />}
      {tab === "choose" && <Choose store={store} />}
      {tab === "use" && <Use store={store} />}
      {tab === "about" && <About store={store} />}
      <Viewer store={store} />
    </>
  );
}
