import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeZip } from "client-zip";
import type { Context } from "hono";
import { kindOf } from "../../images/kinds.ts";
import { IMAGES } from "../../runs/folder.ts";
import { leadsOut } from "../../system/inside.ts";
import { MOST_BYTES, readBytes } from "../../system/regular-files.ts";
import { Refusal } from "../refusal.ts";
import { fileName } from "./file-name.ts";
import type { KnownRun } from "./registry.ts";

/** The folders of a run that hold pictures, and what these are called. */
const FOLDERS = [IMAGES, "exam"];
const NAME = /^[\w-]+\.png$/;

/** All pictures of a run in one archive, read as they are sent: a run may have gigabytes of them. PNGs are packed already, so they are only joined. */
export async function pictureArchive(c: Context, { folder, name }: KnownRun): Promise<Response> {
  const paths = await picturesIn(folder);
  if (paths.length === 0) throw new Refusal(404, `${name}: it has no pictures yet`);
  const top = fileName(name);
  c.header("content-type", "application/zip");
  c.header("content-disposition", `attachment; filename="${top}-pictures.zip"`);
  return c.body(makeZip(entriesOf(folder, top, paths)));
}

/** In their order. */
async function picturesIn(run: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    if (leadsOut(run, folder)) continue;
    const names = await readdir(join(run, folder)).catch((): string[] => []);
    found.push(...names.filter((each) => NAME.test(each)).map((each) => `${folder}/${each}`));
  }
  return found.sort();
}

interface Entry {
  readonly name: string;
  readonly input: Uint8Array<ArrayBuffer>;
}

/** Links out of the run are left out. Each picture is looked at in its turn: looking at all of them would hold everybody up. */
async function* entriesOf(run: string, top: string, paths: readonly string[]): AsyncGenerator<Entry> {
  for (const path of paths) {
    if (leadsOut(run, path)) continue;
    // one that is deleted meanwhile, or is no picture, is left out
    const input = await readBytes(join(run, path), { atMost: MOST_BYTES.picture }).catch(() => undefined);
    if (input !== undefined && kindOf(input) === "png") yield { name: `${top}/${path}`, input };
  }
}
