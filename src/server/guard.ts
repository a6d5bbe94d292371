import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";

/**
 * Who may ask the server for something. A page in the same browser may be anybody's: it can post to this machine, and by a name of its own
 * that leads here (DNS rebinding) it would even read the answers. So the name by which the server was asked counts, and where the asking page is
 * from. Everybody shows a token: other accounts of this machine can ask too, and other machines where the server listens to them.
 */
export interface GuardOptions {
  /** The host that the server listens at. */
  readonly host: string;
  /** What visitors have to show; undefined where whoever can ask may. */
  readonly token: string | undefined;
}

/** Cookies are not kept apart by port: the name has it, so that two servers of one machine do not forget each other's. */
export function cookieName(host: string | undefined): string {
  return `rpo-token-${/:(\d+)$/.exec(host ?? "")?.[1] ?? "80"}`;
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || host === "::1";
}

/** What a request that changes something carries: a page of another origin could not send it without being asked first. */
export const ACTION_HEADER = "x-rpo";

export function guard({ host, token }: GuardOptions): MiddlewareHandler {
  const refuse = (c: Context, status: 400 | 401 | 403, why: string) => c.text(`${why}\n`, status);
  return async (c, next) => {
    const asked = c.req.header("host");
    if (!isOurName(asked, host))
      return refuse(c, 403, "This name does not lead here: use the address that rpo ui printed.");
    const origin = c.req.header("origin");
    if (origin !== undefined && !isSame(origin, asked)) return refuse(c, 403, "Asked for by a page of another origin.");
    const site = c.req.header("sec-fetch-site");
    const isVisit = c.req.method === "GET" && c.req.header("sec-fetch-mode") === "navigate" && c.req.path === "/";
    if (site !== undefined && site !== "same-origin" && site !== "none" && !isVisit)
      return refuse(c, 403, "Asked for by a page of another origin.");
    const isAction = c.req.method !== "GET" && c.req.method !== "HEAD";
    if (isAction && c.req.header(ACTION_HEADER) === undefined)
      return refuse(c, 403, `Expected the header ${ACTION_HEADER}.`);
    if (token === undefined) return next();
    const name = cookieName(asked);
    const shown = c.req.path === "/" && c.req.method === "GET" ? c.req.query("token") : undefined;
    if (shown !== undefined && isEqual(shown, token)) {
      setCookie(c, name, token, { httpOnly: true, sameSite: "Strict", path: "/" });
      // not a redirect: after a link from elsewhere a strict cookie would not come along
      c.header("refresh", "0; url=/");
      return c.html("<!doctype html><title>rpo</title><a href='/'>Open rpo</a>");
    }
    if (!isEqual(getCookie(c, name) ?? "", token))
      return refuse(c, 401, "A token is needed: open the address that rpo ui printed.");
    return next();
  };
}

/** A name cannot be made to lead to a number; the other way round is what rebinding does. */
function isOurName(asked: string | undefined, host: string): boolean {
  const name = asked?.replace(/:\d*$/, "").toLowerCase();
  if (name === undefined || name === "") return false;
  if (LOOPBACK.includes(name) || name === host.toLowerCase()) return true;
  return !isLoopback(host) && isIP(name.replace(/^\[|\]$/g, "")) !== 0;
}

function isSame(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
