import { signal } from "@preact/signals";

/** Which view is shown: it stands in the address, so that a reload and a bookmark come back to it. */
export type Route =
  | { readonly view: "library" | "new" | "queue" }
  | { readonly view: "run"; readonly id: string; readonly tab: Tab }
  | { readonly view: "compare"; readonly ids: readonly string[] }
  | { readonly view: "bench"; readonly id: string }
  | { readonly view: "lost" };

export const TABS = ["watch", "choose", "use", "about"] as const;
export type Tab = (typeof TABS)[number];

const ID = /^[0-9a-f]{16}$/;
/** Runs beside each other. */
export const MOST_COMPARED = 6;

export const route = signal<Route>(routeOf(location.hash));

addEventListener("hashchange", () => (route.value = routeOf(location.hash)));

function routeOf(hash: string): Route {
  const [view = "", id = "", tab = "watch"] = hash.replace(/^#\/?/, "").split("/");
  if (view === "") return { view: "library" };
  if (view === "new" || view === "queue") return { view };
  if (view === "compare")
    return {
      view,
      ids: id
        .split(",")
        .filter((each) => ID.test(each))
        .slice(0, MOST_COMPARED),
    };
  if (view === "bench" && ID.test(id)) return { view, id };
  const known = TABS.find((each) => each === tab);
  if (view === "run" && ID.test(id) && known !== undefined) return { view, id, tab: known };
  return { view: "lost" };
}

export function runAddress(id: string, tab: Tab = "watch"): string {
  return tab === "watch" ? `#/run/${id}` : `#/run/${id}/${tab}`;
}

export function compareAddress(ids: readonly string[]): string {
  return `#/compare/${ids.join(",")}`;
}

export function benchAddress(id: string): string {
  return `#/bench/${id}`;
}
