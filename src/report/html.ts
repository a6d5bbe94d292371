/** Markup that is known to be well-formed and escaped: what {@link html} makes. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

/** What a template may hold: text and numbers are escaped, markup is taken as it is, lists are joined, nothing is nothing. */
export type Content = Html | string | number | undefined | false | readonly Content[];

/**
 * Markup (HTML or SVG) from a template. Whatever is filled in is escaped unless it was made by `html` itself, so that a prompt or a file
 * name can be no more than text; attributes must stand in double quotes.
 * @example html`<p title="${fileName}">${prompt}</p>`
 */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(parts.reduce((text, part, i) => text + textOf(contents[i - 1]) + part));
}

function textOf(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Html) return content.text;
  if (typeof content === "object") return content.map(textOf).join("");
  return escape(String(content));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for between tags and for attributes. */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** JSON for a script element: no "<" in it can end the element or begin a comment. */
export function json(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll("<", "\\u003c"));
}
