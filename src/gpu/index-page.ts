import { isHere } from "../hub/http.ts";
import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { parseAs, parseJson } from "../system/json.ts";

/** A file of a package on an index. */
export interface IndexFile {
  readonly filename: string;
  readonly url: URL;
  /** Of the whole file, where the index says it. */
  readonly sha256: string | undefined;
  readonly size: number | undefined;
}

/** What an index is asked for: JSON (PEP 691), and else HTML (PEP 503), which all of them have. */
export const ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

const SHA256 = /^[0-9a-f]{64}$/;

const jsonPage = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      url: z.string(),
      hashes: z.record(z.string(), z.string()).optional(),
      size: z.int().min(0).nullish(),
      yanked: z.union([z.boolean(), z.string()]).optional(),
    }),
  ),
});

/**
 * The files that a package's page lists, without those that were withdrawn.
 * @param address of the page, which its links are relative to
 * @throws ModelError for a page of another kind
 */
export function parsePage(text: string, contentType: string | undefined, address: URL): IndexFile[] {
  const what = `${address.host}${address.pathname}`;
  if (/\bjson\b/.test(contentType ?? "")) {
    let value: unknown;
    try {
      value = parseJson(text);
    } catch {
      throw new ModelError(`${what}: expected JSON`);
    }
    const { files } = parseAs(jsonPage, value, what);
    return files
      .filter(({ yanked }) => yanked === undefined || yanked === false)
      .flatMap(({ filename, url, hashes, size }) =>
        fileAt(filename, url, address, { sha256: hashes?.["sha256"], size: size ?? undefined }),
      );
  }
  if (!/<a\s/i.test(text) && !/<html/i.test(text))
    throw new ModelError(`${what}: expected a package's page, in HTML or JSON; is it a Python package index?`);
  return parseHtml(text, address);
}

/** Links, each with a file's name as its text and its hash behind the #. */
function parseHtml(text: string, page: URL): IndexFile[] {
  const base = /<base\s[^>]*\bhref\s*=\s*["']([^"']*)["']/i.exec(text)?.[1];
  const address = base !== undefined && URL.canParse(base, page.href) ? new URL(decoded(base), page) : page;
  return [...text.matchAll(/<a\s([^>]*)>([^<]*)<\/a\s*>/gi)].flatMap(([, attributes = "", name = ""]) => {
    if (/\bdata-yanked\b/i.test(attributes)) return [];
    const href = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes);
    const link = decoded(href?.[1] ?? href?.[2] ?? "");
    const sha256 = /#sha256=([0-9a-f]{64})$/.exec(link)?.[1];
    return fileAt(decoded(name).trim(), link.replace(/#.*$/, ""), address, { sha256, size: undefined });
  });
}

/** A file, unless its address is none that may be followed from the page. */
function fileAt(
  filename: string,
  link: string,
  page: URL,
  { sha256, size }: Pick<IndexFile, "sha256" | "size">,
): IndexFile[] {
  if (link === "" || !URL.canParse(link, page.href)) return [];
  const url = new URL(link, page);
  url.hash = "";
  if (url.protocol !== "https:" && !(url.protocol === page.protocol && isHere(url))) return [];
  if (url.username !== "" || url.password !== "") return [];
  return [{ filename, url, size, sha256: sha256 !== undefined && SHA256.test(sha256) ? sha256 : undefined }];
}

function decoded(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replace(/&(#39|\w{2,4});/g, (all, name: string) => entities[name] ?? all);
}
