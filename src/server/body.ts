import type { Context } from "hono";
import type { z } from "zod";
import { parseJson } from "../system/json.ts";
import { Refusal } from "./refusal.ts";

/** More than any form of the page has. */
const MOST_BYTES = 256 * 1024;

/** What a request says, no longer than it may be, checked. @throws Refusal */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = (await readLimited(c, MOST_BYTES)).toString("utf8");
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    throw new Refusal(400, "expected JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal(400, `${issue.path.join(".") || "the request"}: ${issue.message}`);
}

/** A request's bytes; one that has more is given up as soon as that is known. @throws Refusal */
export async function readLimited(c: Context, most: number): Promise<Buffer> {
  const tooLarge = (): Refusal => new Refusal(413, `too large: at most ${most} bytes`);
  if (Number(c.req.header("content-length") ?? 0) > most) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    // leaving the loop gives up the rest
    if (size > most) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
