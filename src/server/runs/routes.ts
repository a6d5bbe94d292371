import type { Context, Hono } from "hono";
import { z } from "zod";
import type { RunList, RunRow } from "../api.ts";
import { readBody } from "../body.ts";
import type { Helper } from "../helper/host.ts";
import type { Archive } from "./archive.ts";
import { askRun } from "./control.ts";
import { fileName } from "./file-name.ts";
import type { Followers } from "./follow.ts";
import { pictureArchive } from "./picture-archive.ts";
import { createPictures } from "./pictures.ts";
import type { Registry } from "./registry.ts";
import { rowOf } from "./row.ts";
import { sectionsOf } from "./sections.ts";
import { streamRun, viewOf } from "./stream.ts";
import { removeRun } from "../../runs/remove.ts";
import { Refusal } from "../refusal.ts";
import { REQUESTS } from "../../runs/requests.ts";

export interface RunServices {
  readonly registry: Registry;
  readonly followers: Followers;
  readonly helper: Helper;
  readonly archive: Archive;
  /** @throws Refusal where an address has too many streams */
  readonly enterStream: (c: Context, signal: AbortSignal) => void;
}

const askSchema = z.strictObject({ ask: z.enum(REQUESTS) });
/** Its name, so that none is deleted by mistake. */
const deleteSchema = z.strictObject({ name: z.string().max(4096) });
const archiveSchema = z.strictObject({ archived: z.boolean() });

/** What can be asked of runs. */
export function addRunRoutes(app: Hono, { registry, followers, helper, archive, enterStream }: RunServices): void {
  const picture = createPictures(helper);
  const find = (c: Context) => registry.find(c.req.param("id") ?? "");

  app.get("/api/runs", async (c) => {
    const archived = await archive.ids();
    const rows: RunRow[] = [];
    for (const run of await registry.list()) rows.push(await rowOf(run, archived.has(run.id)));
    const runs = rows.sort((a, b) => b.changed.localeCompare(a.changed));
    return c.json({ roots: registry.roots, runs, problem: archive.problem() } satisfies RunList);
  });

  app.get("/api/runs/:id/stream", async (c) => {
    const run = await find(c);
    const end = new AbortController();
    c.req.raw.signal.addEventListener("abort", () => end.abort());
    enterStream(c, end.signal);
    return streamRun(c, run, followers, end).catch((error: unknown) => {
      end.abort();
      throw error;
    });
  });

  app.get("/api/runs/:id/view", async (c) => c.json(await viewOf(await find(c), followers)));
  app.get("/api/runs/:id/picture", async (c) => picture(c, await find(c)));
  app.get("/api/runs/:id/pictures.zip", async (c) => pictureArchive(c, await find(c)));
  app.get("/api/runs/:id/sections", async (c) => c.json({ html: await sectionsOf(await find(c)) }));

  app.get("/api/runs/:id/report.html", async (c) => {
    const run = await find(c);
    const report = await helper.ask({ kind: "report", run: run.folder }, c.req.raw.signal);
    c.header("content-disposition", `attachment; filename="${fileName(run.name)}.html"`);
    // the page that is downloaded has a policy of its own
    return c.body(report, 200, { "content-type": "text/html; charset=utf-8" });
  });

  app.post("/api/runs/:id/ask", async (c) => {
    const run = await find(c);
    const { ask } = await readBody(c, askSchema);
    await askRun(run, ask);
    return c.json({});
  });

  app.delete("/api/runs/:id", async (c) => {
    const run = await find(c);
    const { name } = await readBody(c, deleteSchema);
    if (name !== run.name) throw new Refusal(409, `it is called ${run.name}`);
    const isGone = await removeRun(run.folder);
    // a run that is made in its place later is a new one
    await archive.set(run.id, false);
    return c.json({ isGone });
  });

  app.post("/api/runs/:id/archive", async (c) => {
    const run = await find(c);
    const { archived } = await readBody(c, archiveSchema);
    await archive.set(run.id, archived);
    return c.json({});
  });
}
