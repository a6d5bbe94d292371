import type { RedisOptions } from "bullmq";
import { Redis } from "ioredis";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { oneLine } from "../system/printable.ts";

/** Where a Redis is, how to say so without its password, and what ioredis needs to know. */
export interface RedisAddress {
  /** "redis://host:6379/0" */
  readonly name: string;
  readonly options: RedisOptions;
}

const EXPECTED = "expected redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS";
const DEFAULT_PORT = 6379;
const CONNECT_TIMEOUT_MS = 8000;
const LONGEST_WAIT_MS = 2000;
/** Characters of a message of others. */
const MOST_SHOWN = 300;
/** Different lines about what is wrong with what a Redis holds: whoever writes to it could make any number of them. */
const MOST_COMPLAINTS = 20;

/** @throws UsageError when the text is not the address of a Redis */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const database = url?.pathname.slice(1) ?? "";
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^\d*$/.test(database))
    throw new UsageError(say`${setting("redis")}: ${EXPECTED}`);
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const db = Number(database);
  // an IPv6 address comes in brackets
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    name: `${url.protocol}//${url.hostname}:${port}/${db}`,
    options: {
      host,
      port,
      db,
      ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
      ...(url.password !== "" && { password: decodeURIComponent(url.password) }),
      ...(url.protocol === "rediss:" && { tls: { servername: host } }),
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Commands wait for a Redis that is being restarted instead of failing.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), LONGEST_WAIT_MS),
    },
  };
}

/** Tries an address once. @throws UsageError of one line when there is no Redis, or it does not let us in */
export async function checkRedis({ name, options }: RedisAddress): Promise<void> {
  const client = new Redis({
    ...options,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    disconnectTimeout: 50,
  });
  let cause: Error | undefined;
  client.on("error", (error: Error) => (cause ??= error));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new UsageError(say`${setting("redis", name)}: ${reason(cause ?? error)}`);
  } finally {
    client.disconnect();
  }
}

/** Why a Redis does not answer, in a line. */
export function reason(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  if (/WRONGPASS|invalid password|invalid username-password/i.test(message))
    return "refuses this user or password (give redis://USER:PASSWORD@HOST or redis://:PASSWORD@HOST)";
  if (/NOAUTH/.test(message)) return "wants a password (give redis://:PASSWORD@HOST)";
  if (code === "ECONNREFUSED") return "no Redis answers there (connection refused); is it running, is the port right?";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "no such host";
  if (code === "ETIMEDOUT" || /timeout|timed out/i.test(message)) return "no answer; is the host reachable?";
  if (/certificate|self.signed/i.test(message))
    return `${message}; name the certificate of its authority in NODE_EXTRA_CA_CERTS`;
  if (code === "ECONNRESET" || /closed/i.test(message))
    return "the connection was closed at once; does it speak TLS (rediss://), or not (redis://)?";
  return oneLine(message.split("\n")[0], MOST_SHOWN);
}

/** Whether an error is of the connection, which is tried again, and not of what was asked. Codes that begin with ERR_ are Node's own: wrong calls. */
export function isOutage(error: Error & { readonly code?: unknown }): boolean {
  return /^E(?!RR_)[A-Z0-9_]+$/.test(String(error.code)) || /connection|loading/i.test(error.message);
}

/** Tells once when the connection is lost and once when it is back, and once of each thing that is wrong with what the Redis holds. */
export function troubleReporter(name: string, say: (line: string) => void) {
  let down = false;
  const told = new Set<string>();
  return {
    lost(error: unknown) {
      if (!down) say(`${name}: ${reason(error)}; trying again until it is back`);
      down = true;
    },
    back() {
      if (down) say(`${name} is back`);
      down = false;
    },
    /** @param what it is about, such as a job; what is said about the same is the same */
    complain(what: string, error: unknown) {
      const line = `${name}: ${oneLine(what, MOST_SHOWN)}: ${reason(error)}`;
      if (told.has(line) || told.size > MOST_COMPLAINTS) return;
      told.add(line);
      say(told.size > MOST_COMPLAINTS ? `${name}: there are more errors like these, which are not reported` : line);
    },
  };
}
