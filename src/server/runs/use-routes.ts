import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context, Hono } from "hono";
import { z } from "zod";
import { TRAINED_FILES, checkTrained } from "../../checkpoints/trained-files.ts";
import { checkpointPath } from "../../runs/folder.ts";
import { prose } from "../../settings/kinds.ts";
import { WHOLE } from "../../settings/limits.ts";
import { insideOf } from "../../system/inside.ts";
import { MOST_BYTES, readBytes } from "../../system/regular-files.ts";
import type { DrawnPairs } from "../api.ts";
import { readBody } from "../body.ts";
import type { Helper } from "../helper/host.ts";
import { Refusal } from "../refusal.ts";
import { fileName } from "./file-name.ts";
import type { Registry } from "./registry.ts";

/** Pictures at a time that the page asks for. */
const MOST_PICTURES = 8;
const drawSchema = z.strictObject({
  prompt: prose.given.refine((text) => text.length <= 2000, "expected at most 2000 characters"),
  seed: z.int().min(WHOLE.seed[0]).max(WHOLE.seed[1]),
  count: z.int().min(1).max(MOST_PICTURES),
});

/** What is done with the checkpoint that was chosen: drawing with it, taking it elsewhere. */
export function addUseRoutes(app: Hono, registry: Registry, engine: Helper): void {
  const find = (c: Context) => registry.find(c.req.param("id") ?? "");

  app.post("/api/runs/:id/draw", async (c) => {
    const { folder } = await find(c);
    const pairs = await engine.ask({ kind: "draw", run: folder, ...(await readBody(c, drawSchema)) }, c.req.raw.signal);
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
    const pictures = pairs.map(({ seed, start, chosen }) => ({ seed, start: base64(start), chosen: base64(chosen) }));
    return c.json({ pictures } satisfies DrawnPairs);
  });

  app.get("/api/runs/:id/kohya.safetensors", async (c) => {
    const run = await find(c);
    const folder = await mkdtemp(join(tmpdir(), "rpo-export-"));
    try {
      const name = `${fileName(run.name)}.safetensors`;
      const file = await engine.ask({ kind: "kohya", run: run.folder, output: join(folder, name) }, c.req.raw.signal);
      return download(c, name, await readBytes(file, { atMost: MOST_BYTES.lora }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  app.get("/api/runs/:id/checkpoints/:step/:file", async (c) => {
    const { folder } = await find(c);
    const { step, file } = c.req.param();
    if (!/^\d{1,7}$/.test(step) || !TRAINED_FILES.includes(file)) throw new Refusal(404, "no such file");
    const checkpoint = checkpointPath(Number(step));
    const path = insideOf(folder, join(checkpoint, file));
    if (path === undefined) throw new Refusal(404, "no such file");
    await checkTrained(join(folder, checkpoint));
    return download(c, file, await readBytes(path, { atMost: MOST_BYTES.lora }));
  });
}

function download(c: Context, name: string, bytes: Buffer<ArrayBuffer>): Response {
  c.header("content-type", "application/octet-stream");
  c.header("content-disposition", `attachment; filename="${name}"`);
  return c.body(bytes);
}
