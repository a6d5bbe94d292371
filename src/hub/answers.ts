import type { Dispatcher } from "undici";
import { decodeText } from "../system/decode-text.ts";
import { ModelError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import type { HubSettings } from "./settings.ts";

/** What the hub's answers say: in headers, and in bodies that are no files. */

/** An answer of 200 or 206, its body not yet read. */
export interface HubAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Dispatcher.ResponseData["body"];
}

const MOST_JSON_BYTES = 64 * 2 ** 20;

/** RFC 9110, 10.2.3: seconds, or a date. */
export function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** `Link: <address>; rel="next"`; pages come from the hub itself. */
export function nextPage(link: string | undefined, { endpoint }: HubSettings): URL | undefined {
  const address = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  if (address === undefined || !URL.canParse(address, endpoint.href)) return undefined;
  const url = new URL(address, endpoint);
  if (url.origin !== endpoint.origin)
    throw new ModelError(`${endpoint.host}: the listing goes on at ${url.origin}, which is another server`);
  return url;
}

/** @throws ModelError when there is more of it than there can be, the body's own error when it was cut short */
export async function readText(
  body: HubAnswer["body"],
  what: string,
  name: string,
): Promise<{ text: string; bytes: number }> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.byteLength;
    if (length > MOST_JSON_BYTES) throw new ModelError(`${what}: ${name}'s answer is too long`);
  }
  try {
    return { text: decodeText(Buffer.concat(parts)), bytes: length };
  } catch (error) {
    throw new ModelError(`${what}: ${name}'s answer: ${reasonOf(error)}`, { cause: error });
  }
}

/** Enough of a refusal to show. */
export async function beginningOf(body: HubAnswer["body"]): Promise<string> {
  let text = "";
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      text += part.toString("utf8");
      if (text.length > 1000) break;
    }
  } catch {
    // what came will do
  }
  return text.slice(0, 1000);
}
