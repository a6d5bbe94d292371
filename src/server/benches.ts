import type { Context, Hono } from "hono";
import { RESULTS_FILE, STATUS_FILE } from "../benchmark/files.ts";
import { benchFrontiers, benchTable } from "../benchmark/results/page.ts";
import { readRows } from "../benchmark/results/results.ts";
import { summarizeRows } from "../benchmark/results/summary.ts";
import { readBenchName } from "../benchmark/results/view.ts";
import { readStatus } from "../benchmark/status.ts";
import { html } from "../report/html.ts";
import { insideOf, leadsOut } from "../system/inside.ts";
import { isLocked } from "../system/lock.ts";
import type { BenchRow, BenchTables } from "./api.ts";
import type { Helper } from "./helper/host.ts";
import { fileName } from "./runs/file-name.ts";
import type { KnownRun, Registry } from "./runs/registry.ts";

/** Folders of `rpo bench`: how far they are, and their tables as far as rows are done. */
export function addBenchRoutes(app: Hono, registry: Registry, helper: Helper): void {
  const find = (c: Context) => registry.findBench(c.req.param("id") ?? "");

  app.get("/api/benches", async (c) => c.json({ benches: await Promise.all((await registry.benches()).map(rowOf)) }));

  app.get("/api/benches/:id", async (c) => c.json(await tablesOf(await find(c))));

  app.get("/api/benches/:id/report.html", async (c) => {
    const bench = await find(c);
    const report = await helper.ask({ kind: "bench-report", bench: bench.folder }, c.req.raw.signal);
    c.header("content-disposition", `attachment; filename="${fileName(bench.name)}.html"`);
    // the page that is downloaded has a policy of its own
    return c.body(report, 200, { "content-type": "text/html; charset=utf-8" });
  });
}

async function rowOf({ id, name, folder }: KnownRun): Promise<BenchRow> {
  // a file that leads out of the folder says nothing of it
  const status = leadsOut(folder, STATUS_FILE) ? undefined : await readStatus(folder).catch(() => undefined);
  return { id, name, rows: status?.rows, isLive: await isLocked(folder) };
}

/** @throws UsageError naming a file that is damaged, or leads out of the folder */
async function tablesOf({ name: folderName, folder }: KnownRun): Promise<BenchTables> {
  const { name, settings } = await readBenchName(folder);
  const path = insideOf(folder, RESULTS_FILE);
  const rows = path === undefined ? [] : (await readRows(path)).rows;
  const about = { name: name === folderName ? name : `${name} in ${folderName}`, settings, rows: rows.length };
  if (rows.length === 0) return { ...about, html: undefined };
  const lines = summarizeRows(rows);
  return { ...about, html: html`${benchTable(lines, name)}${benchFrontiers(lines)}`.text };
}
