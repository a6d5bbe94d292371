import { setTimeout as sleep } from "node:timers/promises";
import { Agent, EnvHttpProxyAgent, request } from "undici";
import { ModelError } from "../system/errors.ts";
import { parseJson } from "../system/json.ts";
import { VERSION } from "../system/version.ts";
import { beginningOf, nextPage, readText, retryAfter, type HubAnswer } from "./answers.ts";
import { checkStopped, DownloadStopped, Unreachable } from "./errors.ts";
import { brief, refusalOf, type Refusal } from "./refusals.ts";
import type { HubSettings } from "./settings.ts";
import { saidBy } from "../system/said-by.ts";

export interface RequestOptions {
  /** What is asked for, for messages: "owner/name" or "owner/name: unet/config.json". */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Tries again even when there is no network at all, in the midst of a download. */
  readonly patient?: boolean;
}

export interface TextAnswer {
  readonly text: string;
  readonly bytes: number;
  readonly headers: HubAnswer["headers"];
}

export interface JsonAnswer {
  readonly value: unknown;
  /** Of its text. */
  readonly bytes: number;
  readonly next: URL | undefined;
}

/** Speaks to one server, and follows where that leads. */
export interface Client {
  /** @param url a path at the endpoint, or an address @throws UsageError, Unreachable, ModelError, DownloadStopped */
  open(url: string | URL, options: RequestOptions): Promise<HubAnswer>;
  /** A text as a whole. */
  text(url: string | URL, options: RequestOptions): Promise<TextAnswer>;
  /** Waits before another try: twice as long each time. */
  pause(tries: number): Promise<void>;
  /** "the hub", in messages. */
  readonly name: string;
  /** How long the server may be silent. */
  readonly silenceMs: number;
  /** Tells people a line. */
  readonly say: (line: string) => void;
  /** Closes all connections; answers that have not been read by then are lost. */
  close(): Promise<void>;
}

/** Speaks to one hub. */
export interface HubClient extends Client {
  /** Opens and parses JSON, with the next page's address where there is one. */
  json(url: string | URL, options: RequestOptions): Promise<JsonAnswer>;
}

/** What a server is called, and what it means by its answers. */
export interface Service {
  /** "the hub" */
  readonly name: string;
  readonly endpoint: URL;
  /** What the server, and nobody else, may see of who asks. */
  readonly authorization: string | undefined;
  /** The error for an answer that says no. */
  refusalOf(refusal: Refusal): Error;
}

interface Waiting {
  readonly signal?: AbortSignal | undefined;
  /** Told about waits that people would wonder at. */
  readonly say: (line: string) => void;
  /** Before the second try; doubled for each further one. Default: a second. */
  readonly firstPauseMs?: number | undefined;
  /** How long a server may be silent. Default: 30 s. */
  readonly silenceMs?: number | undefined;
}

export interface ClientOptions extends Waiting {
  readonly settings: HubSettings;
}

/** How often a request is sent that fails or gets no good answer. */
export const TRIES = 5;
const MOST_REDIRECTS = 5;
const LONGEST_WAIT_SECONDS = 300;
/** The most that is read of a redirect's or a refusal's body. */
const MOST_ASIDE_BYTES = 16 * 2 ** 10;
/** How long an answer that is no file may take as a whole, in units of the longest silence: two minutes. */
const SILENCES_AN_ANSWER = 4;
const WORTH_ANOTHER_TRY = new Set([408, 429, 500, 502, 503, 504]);
const PROXY_VARIABLES = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];

export function createClient(
  service: Service,
  { signal, say, firstPauseMs = 1000, silenceMs = 30_000 }: Waiting,
): Client {
  const { endpoint } = service;
  const timeouts = { connect: { timeout: silenceMs }, headersTimeout: silenceMs, bodyTimeout: silenceMs };
  const proxied = PROXY_VARIABLES.some((name) => (process.env[name] ?? "") !== "");
  const dispatcher = proxied ? new EnvHttpProxyAgent(timeouts) : new Agent(timeouts);

  const wait = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { signal }).catch(() => checkStopped(signal));
  };
  const pauseMs = (tries: number) => firstPauseMs * 2 ** (tries - 1);
  const pause = (tries: number) => wait(pauseMs(tries));

  const answerMs = SILENCES_AN_ANSWER * silenceMs;
  /** Gives up what comes too slowly. @throws Unreachable */
  async function inTime<T>(what: string, giveUp: (error: Error) => void, work: Promise<T>): Promise<T> {
    const tooSlow = new Unreachable(
      `${what}: ${service.name}'s answer takes more than ${answerMs / 1000} s; try again later`,
    );
    const timer = setTimeout(() => giveUp(tooSlow), answerMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }
  const readInTime = <T>(what: string, body: HubAnswer["body"], read: (body: HubAnswer["body"]) => Promise<T>) =>
    inTime(what, (error) => void body.destroy(error), read(body));

  /** One request, redirects followed. */
  async function send(
    start: URL,
    what: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<HubAnswer & { url: URL }> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      const slow = new AbortController();
      const sent = request(url.href, {
        dispatcher,
        signal: signal === undefined ? slow.signal : AbortSignal.any([signal, slow.signal]),
        headers: { ...headers, "user-agent": `rpo/${VERSION}`, ...authorizationAt(url, service) },
      });
      const answer = await inTime(what, (error) => slow.abort(error), sent);
      const flat = Object.entries(answer.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(", ") : value,
      ]);
      const known = Object.fromEntries(flat) as HubAnswer["headers"];
      const { location } = known;
      if (answer.statusCode < 300 || answer.statusCode >= 400 || location === undefined)
        return { url, status: answer.statusCode, headers: known, body: answer.body };
      await readInTime(what, answer.body, (body) => body.dump({ limit: MOST_ASIDE_BYTES }));
      if (redirects === MOST_REDIRECTS) throw new ModelError(`${start.host}: redirects without end`);
      if (!URL.canParse(location, url.href))
        throw new ModelError(`${start.host}: redirects to what is no address${brief(location)}`);
      const next = new URL(location, url);
      // plain HTTP is for servers on this machine, and for mirrors that were asked for as such
      const isSafe = next.protocol === "https:" || (next.protocol === url.protocol && (!isHere(url) || isHere(next)));
      if (!isSafe)
        throw new ModelError(`${start.host}: redirects to ${next.protocol}//${next.host}, which is not safe`);
      url = next;
    }
  }

  async function open(
    target: string | URL,
    { what, headers = {}, patient = false }: RequestOptions,
  ): Promise<HubAnswer> {
    const url = typeof target === "string" ? new URL(endpoint.href.replace(/\/$/, "") + target) : target;
    for (let tries = 1; ; tries++) {
      checkStopped(signal);
      let answer: HubAnswer & { url: URL };
      try {
        answer = await send(url, what, headers);
      } catch (error) {
        if (signal?.aborted === true) throw new DownloadStopped();
        if (error instanceof ModelError || error instanceof Unreachable) throw error;
        if (tries === TRIES || !isPassing(error, patient)) throw unreachable(url, error);
        await pause(tries);
        continue;
      }
      if (answer.status === 200 || answer.status === 206) return answer;
      const text = await readInTime(what, answer.body, beginningOf);
      if (!WORTH_ANOTHER_TRY.has(answer.status))
        throw service.refusalOf({ ...answer, text, what, elsewhere: answer.url.origin !== endpoint.origin });
      const seconds = retryAfter(answer.headers["retry-after"]);
      if (tries === TRIES || (seconds ?? 0) > LONGEST_WAIT_SECONDS)
        throw new Unreachable(
          answer.status === 429
            ? `${url.host} asks for a pause (too many requests); try again ${seconds === undefined ? "later" : `in ${seconds} s`}`
            : `${url.host} answers ${answer.status}; try again later`,
        );
      const asked = 1000 * (seconds ?? 0);
      if (asked >= 2000) say(`${url.host} asks to wait ${seconds} s`);
      // a time that has passed is no reason to ask again at once
      if (asked > pauseMs(tries)) await wait(asked);
      else await pause(tries);
    }
  }

  async function text(target: string | URL, options: RequestOptions) {
    for (let tries = 1; ; tries++) {
      const { body, headers } = await open(target, options);
      try {
        return {
          headers,
          ...(await readInTime(options.what, body, (each) => readText(each, options.what, service.name))),
        };
      } catch (error) {
        checkStopped(signal);
        if (error instanceof ModelError || error instanceof Unreachable) throw error;
        if (tries === TRIES)
          throw new Unreachable(`${options.what}: ${service.name}'s answer was cut short`, { cause: error });
        await pause(tries);
      }
    }
  }

  const { name } = service;
  return { open, text, pause, name, silenceMs, say, close: () => dispatcher.destroy() };
}

export function createHubClient({ settings, ...waiting }: ClientOptions): HubClient {
  const { endpoint, token } = settings;
  const client = createClient(
    {
      name: "the hub",
      endpoint,
      authorization: token && `Bearer ${token}`,
      refusalOf: (refusal) => refusalOf({ ...refusal, settings }),
    },
    waiting,
  );
  async function json(target: string | URL, options: RequestOptions) {
    const { text, bytes, headers } = await client.text(target, { ...options, headers: { accept: "application/json" } });
    let value: unknown;
    try {
      value = parseJson(text);
    } catch {
      throw new ModelError(
        `${options.what}: ${endpoint.host} answers something else than JSON; is HF_ENDPOINT a hub's address?`,
      );
    }
    return { value, bytes, next: nextPage(headers["link"], settings) };
  }
  return { ...client, json };
}

/** A token goes to the server that it is for and to nobody else. */
function authorizationAt(url: URL, { endpoint, authorization }: Service): Record<string, string> {
  return authorization !== undefined && url.origin === endpoint.origin ? { authorization } : {};
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
  const reason = code === "" ? saidBy(error) : code;
  return new Unreachable(`${url.host} cannot be reached: ${reason}${hint}`, { cause: error });
}

/** Whether an address is on this machine. */
export function isHere({ hostname }: Pick<URL, "hostname">): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
