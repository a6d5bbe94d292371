import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRegistry } from "./registry.ts";

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), "rpo-registry-"))));
afterEach(() => rm(root, { recursive: true, force: true }));

async function makeBench(name: string): Promise<void> {
  await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, name, "bench.json"), "{}");
}

test("a benchmark is found by its id, one that was made meanwhile too, and none that is gone", async () => {
  await makeBench("a");
  const registry = await createRegistry([root]);
  const [a] = await registry.benches();
  expect(await registry.findBench(a.id)).toEqual(a);
  await makeBench("more/b");
  const b = (await (await createRegistry([root])).benches()).find(({ name }) => name === "more/b");
  expect(await registry.findBench(b?.id ?? "")).toEqual(b);
  await rm(join(root, "a"), { recursive: true });
  await expect(registry.findBench(a.id)).rejects.toMatchObject({ status: 404 });
});
