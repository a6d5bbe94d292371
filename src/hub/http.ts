import { setTimeout as sleep } from "node:timers/promises";
import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from "undici";
import { ModelError } from "../tensor/errors.ts";
import { VERSION } from "../tensor/version.ts";
import { checkStopped, DownloadStopped, Unreachable } from "./errors.ts";
import { refusalOf } from "./refusals.ts";
import type { HubSettings } from "./settings.ts";

/** An answer of 200 or 206, its body not yet read. */
export interface HubAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Dispatcher.ResponseData["body"];
}

export interface RequestOptions {
  /** What is asked for, for messages: "owner/name" or "owner/name: unet/config.json". */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Tries again even when there is no network at all, in the midst of a download. */
  readonly patient?: boolean;
}

/** Speaks to one hub. */
export interface HubClient {
  /** @param url a path at the endpoint, or an address @throws UsageError, Unreachable, ModelError, DownloadStopped */
  open(url: string | URL, options: RequestOptions): Promise<HubAnswer>;
  /** Opens and parses JSON, with the next page's address where there is one. */
  json(
    url: string | URL,
    options: RequestOptions,
  ): Promise<{ readonly value: unknown; readonly next: URL | undefined }>;
  /** Waits before another try: twice as long each time. */
  pause(tries: number): Promise<void>;
  /** What has not been read by then is given up. */
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly settings: HubSettings;
  readonly signal?: AbortSignal | undefined;
  /** Told about waits that people would wonder at. */
  readonly say: (line: string) => void;
  /** Before the second try; doubled for each further one. Default: a second. */
  readonly firstPauseMs?: number | undefined;
  /** How long a server may be silent. Default: 30 s. */
  readonly silenceMs?: number | undefined;
}

/** Requests that get no good answer are sent so many times. */
export const TRIES = 5;
const MOST_REDIRECTS = 5;
const LONGEST_WAIT_SECONDS = 300;
const MOST_JSON_BYTES = 64 * 2 ** 20;
const WORTH_ANOTHER_TRY = new Set([408, 429, 500, 502, 503, 504]);
const PROXY_VARIABLES = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];

export function createHubClient({
  settings,
  signal,
  say,
  firstPauseMs = 1000,
  silenceMs = 30_000,
}: ClientOptions): HubClient {
  const timeouts = { connect: { timeout: silenceMs }, headersTimeout: silenceMs, bodyTimeout: silenceMs };
  const proxied = PROXY_VARIABLES.some((name) => (process.env[name] ?? "") !== "");
  const dispatcher = proxied ? new EnvHttpProxyAgent(timeouts) : new Agent(timeouts);

  const wait = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { signal }).catch(() => checkStopped(signal));
  };
  const pause = (tries: number) => wait(firstPauseMs * 2 ** (tries - 1));

  /** One request, redirects followed. */
  async function send(start: URL, headers: Readonly<Record<string, string>>): Promise<HubAnswer & { url: URL }> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      const answer = await request(url.href, {
        dispatcher,
        signal,
        headers: { ...headers, "user-agent": `rpo/${VERSION}`, ...authorization(url, settings) },
      });
      const flat = Object.entries(answer.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(", ") : value,
      ]);
      const known = Object.fromEntries(flat) as HubAnswer["headers"];
      const { location } = known;
      if (answer.statusCode < 300 || answer.statusCode >= 400 || location === undefined)
        return { url, status: answer.statusCode, headers: known, body: answer.body };
      await answer.body.dump();
      if (redirects === MOST_REDIRECTS || !URL.canParse(location, url.href))
        throw new ModelError(`${start.host}: redirects without end`);
      const next = new URL(location, url);
      if (next.protocol !== "https:" && next.protocol !== url.protocol)
        throw new ModelError(`${start.host}: redirects to ${next.protocol}//${next.host}, which is not safe`);
      url = next;
    }
  }

  async function open(
    target: string | URL,
    { what, headers = {}, patient = false }: RequestOptions,
  ): Promise<HubAnswer> {
    const url = typeof target === "string" ? new URL(settings.endpoint.href.replace(/\/$/, "") + target) : target;
    for (let tries = 1; ; tries++) {
      checkStopped(signal);
      let answer: HubAnswer & { url: URL };
      try {
        answer = await send(url, headers);
      } catch (error) {
        if (signal?.aborted === true) throw new DownloadStopped();
        if (error instanceof ModelError) throw error;
        if (tries === TRIES || !isPassing(error, patient)) throw unreachable(url, error);
        await pause(tries);
        continue;
      }
      if (answer.status === 200 || answer.status === 206) return answer;
      const text = await beginningOf(answer.body);
      if (!WORTH_ANOTHER_TRY.has(answer.status))
        throw refusalOf({ ...answer, text, what, settings, elsewhere: answer.url.origin !== settings.endpoint.origin });
      const seconds = retryAfter(answer.headers["retry-after"]);
      if (tries === TRIES || (seconds ?? 0) > LONGEST_WAIT_SECONDS)
        throw new Unreachable(
          answer.status === 429
            ? `${url.host} asks for a pause (too many requests); try again ${seconds === undefined ? "later" : `in ${seconds} s`}`
            : `${url.host} answers ${answer.status}; try again later`,
        );
      if (seconds === undefined) await pause(tries);
      else {
        if (seconds >= 2) say(`${url.host} asks to wait ${seconds} s`);
        await wait(1000 * seconds);
      }
    }
  }

  async function openText(target: string | URL, options: RequestOptions) {
    for (let tries = 1; ; tries++) {
      const { body, headers } = await open(target, options);
      try {
        return { headers, text: await readText(body, options.what) };
      } catch (error) {
        checkStopped(signal);
        if (error instanceof ModelError) throw error;
        if (tries === TRIES) throw new Unreachable(`${options.what}: the hub's answer was cut short`, { cause: error });
        await pause(tries);
      }
    }
  }

  async function json(target: string | URL, options: RequestOptions) {
    const { text, headers } = await openText(target, { ...options, headers: { accept: "application/json" } });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new ModelError(
        `${options.what}: ${settings.endpoint.host} answers something else than JSON; is HF_ENDPOINT a hub's address?`,
      );
    }
    return { value, next: nextPage(headers["link"], settings) };
  }

  return { open, json, pause, close: () => dispatcher.destroy() };
}

/** The token goes to the hub and to nobody else. */
function authorization(url: URL, { endpoint, token }: HubSettings): Record<string, string> {
  return token !== undefined && url.origin === endpoint.origin ? { authorization: `Bearer ${token}` } : {};
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** `Link: <address>; rel="next"`; pages come from the hub itself. */
function nextPage(link: string | undefined, { endpoint }: HubSettings): URL | undefined {
  const address = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  if (address === undefined || !URL.canParse(address, endpoint.href)) return undefined;
  const url = new URL(address, endpoint);
  if (url.origin !== endpoint.origin)
    throw new ModelError(`${endpoint.host}: the listing goes on at ${url.origin}, which is another server`);
  return url;
}

/** @throws ModelError when there is more of it than there can be, the body's own error when it was cut short */
async function readText(body: HubAnswer["body"], what: string): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.byteLength;
    if (length > MOST_JSON_BYTES) throw new ModelError(`${what}: the hub's answer is too long`);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Enough of a refusal to show. */
async function beginningOf(body: HubAnswer["body"]): Promise<string> {
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

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return typeof code === "string" ? code : cause instanceof Error ? codeOf(cause) : "";
}

/** Certificates do not become right by trying again, and a missing network not at once. */
function isPassing(error: unknown, patient: boolean): boolean {
  const code = codeOf(error);
  return (
    !/CERT|SIGNATURE|SELF_SIGNED|ERR_TLS|ERR_SSL/.test(code) &&
    (patient || !/^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED)$/.test(code))
  );
}

function unreachable(url: URL, error: unknown): Unreachable {
  const code = codeOf(error);
  const hint = /CERT|SIGNATURE|SELF_SIGNED/.test(code)
    ? " (NODE_EXTRA_CA_CERTS names a file of certificates to trust)"
    : "";
  const reason = code === "" ? (error instanceof Error ? error.message : String(error)) : code;
  return new Unreachable(`${url.host} cannot be reached: ${reason}${hint}`, { cause: error });
}
