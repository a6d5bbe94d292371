import type { Html } from "../../report/html.ts";

/** Markup of the report's functions, which escape whatever is filled in. */
export function Markup({ of, class: name }: { readonly of: Html; readonly class?: string | undefined }) {
  return <div class={name} dangerouslySetInnerHTML={{ __html: of.text }} />;
}
