import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sweepOpened } from "./open-in-browser.ts";

test("pages for a browser that a killed server left are removed, and nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-open-"));
  try {
    const [old, young] = [".rpo-open-0123456789ab.html", ".rpo-open-ba9876543210.html"];
    const others = [".rpo-open-mine.html", ".rpo-queue.json", "rpo-open-0123456789ab.html"];
    for (const name of [old, young, ...others]) await writeFile(join(folder, name), "");
    await mkdir(join(folder, ".rpo-open-000000000000.html"));
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const name of await readdir(folder)) if (name !== young) await utimes(join(folder, name), longAgo, longAgo);
    await sweepOpened(folder);
    expect((await readdir(folder)).sort()).toEqual([".rpo-open-000000000000.html", young, ...others].sort());
    await sweepOpened(join(folder, "nowhere"));
  } finally {
    await rm(folder, { recursive: true });
  }
});
