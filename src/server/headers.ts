import type { MiddlewareHandler } from "hono";

/** Nothing but the server's own script, style and pictures; no request leaves for elsewhere, and no other page may hold this one. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Puts on every answer what a browser is to hold it to. */
export const headers: MiddlewareHandler = async (c, next) => {
  await next();
  const set = (name: string, value: string): void => {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  };
  set("content-security-policy", POLICY);
  set("x-content-type-options", "nosniff");
  set("referrer-policy", "no-referrer");
  set("cross-origin-resource-policy", "same-origin");
  set("cross-origin-opener-policy", "same-origin");
  set("cache-control", "no-store");
};
