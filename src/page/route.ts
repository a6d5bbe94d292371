import { signal } from "@preact/signals";

/** Which view is shown: it stands in the address, so that a reload and a bookmark come back to it. */
export type Route =
  | { readonly view: "library" | "new" | "queue" }
  | { readonly view: "run"; readonly id: string; readonly tab: Tab }
  | { readonly view: "lost" };

export const TABS = ["watch", "choose", "about"] as const;
export type Tab = (typeof TABS)[number];

export const route = signal<Route>(routeOf(location.hash));

addEventListener("hashchange", () => (route.value = routeOf(location.hash)));

function routeOf(hash: string): Route {
  const [view = "", id = "", tab = "watch"] = hash.replace(/^#\/?/, "").split("/");
  if (view === "") return { view: "library" };
  if (view === "new" || view === "queue") return { view };
  const known = TABS.find((each) => each === tab);
  if (view === "run" && /^[0-9a-f]{16}$/.test(id) && known !== undefined) return { view, id, tab: known };
  return { view: "lost" };
}

export function runAddress(id: string, tab: Tab = "watch"): string {
  return tab === "watch" ? `#/run/${id}` : `#/run/${id}/${tab}`;
}
