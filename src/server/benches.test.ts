import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addBenchRoutes } from "./benches.ts";
import { createRegistry } from "./runs/registry.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "rpo-benches-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const status = { time: "2026-01-01T00:00:00.000Z", rows: { done: 3, total: 9 }, jobs: [] };
const helper = { ask: () => Promise.reject(new Error("no errand was expected")), close: () => undefined };

async function rowsOf(bench: string): Promise<unknown> {
  const app = new Hono();
  addBenchRoutes(app, await createRegistry([bench]), helper);
  return (await app.request("/api/benches")).json();
}

test("a benchmark says how far it is", async () => {
  const bench = join(folder, "bench");
  await mkdir(bench);
  await writeFile(join(bench, "bench.json"), "{}");
  await writeFile(join(bench, "status.json"), JSON.stringify(status));
  expect(await rowsOf(bench)).toMatchObject({ benches: [{ name: "bench", rows: { done: 3, total: 9 } }] });
});

test.skipIf(process.platform === "win32")("what leads out of a benchmark's folder says nothing of it", async () => {
  const [bench, elsewhere] = [join(folder, "bench"), join(folder, "elsewhere.json")];
  await mkdir(bench);
  await writeFile(join(bench, "bench.json"), "{}");
  await writeFile(elsewhere, JSON.stringify(status));
  await symlink(elsewhere, join(bench, "status.json"));
  const [row] = ((await rowsOf(bench)) as { benches: Record<string, unknown>[] }).benches;
  expect(row).toMatchObject({ name: "bench", isLive: false });
  expect(row["rows"]).toBeUndefined();
});
