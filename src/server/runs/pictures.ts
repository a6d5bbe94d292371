import type { Context } from "hono";
import { kindOf } from "../../images/kinds.ts";
import { insideOf } from "../../system/inside.ts";
import { MOST_BYTES, readBytes } from "../../system/regular-files.ts";
import type { Helper } from "../helper/host.ts";
import { Refusal } from "../refusal.ts";
import type { KnownRun } from "./registry.ts";

/** Pictures of a run, as they are or smaller. */

/** What a run writes: names in these folders, and nothing that leads elsewhere. */
const PICTURE = /^(?:images|exam)\/[\w.-]+\.png$/;
/** Sides of the smaller ones, in pixels: few, so that few are made. */
const SIDES = [160, 320, 640];
/** Files up to this size are sent as they are. */
const SMALL = 48e3;
/** Smaller pictures that are kept, in bytes. */
const MOST_KEPT = 96e6;

export type PictureServer = (c: Context, run: KnownRun) => Promise<Response>;

export function createPictures(helper: Helper): PictureServer {
  const kept = new Map<string, Buffer>();
  let bytes = 0;
  const keep = (key: string, picture: Buffer): void => {
    kept.set(key, picture);
    bytes += picture.length;
    for (const [oldest, { length }] of kept) {
      if (bytes <= MOST_KEPT) break;
      kept.delete(oldest);
      bytes -= length;
    }
  };
  const smaller = async (key: string, file: string, side: number, signal: AbortSignal): Promise<Buffer> => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = await helper.ask({ kind: "thumbnail", file, side }, signal);
    keep(key, made);
    return made;
  };
  return async (c, run) => {
    const path = c.req.query("path") ?? "";
    const side = Number(c.req.query("side") ?? 0);
    const file = PICTURE.test(path) && !path.includes("..") ? insideOf(run.folder, path) : undefined;
    if (file === undefined) throw new Refusal(404, "no such picture");
    if (side !== 0 && !SIDES.includes(side)) throw new Refusal(400, `side: expected ${SIDES.join(", ")}`);
    const content = await readBytes(file, { atMost: MOST_BYTES.picture }).catch(() => {
      throw new Refusal(404, "no such picture");
    });
    if (kindOf(content) !== "png") throw new Refusal(415, "not a PNG, which runs write");
    const isWhole = side === 0 || content.length <= SMALL;
    // a page that says which version it wants gets just that for good
    const version = c.req.query("v");
    c.header("cache-control", version === undefined ? "no-cache" : "private, max-age=31536000, immutable");
    c.header("content-type", isWhole ? "image/png" : "image/webp");
    if (isWhole) return c.body(content);
    const key = `${run.id} ${path} ${version ?? ""} ${side} ${content.length}`;
    return c.body(new Uint8Array(await smaller(key, file, side, c.req.raw.signal)));
  };
}
