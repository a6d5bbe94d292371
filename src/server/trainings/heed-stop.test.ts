import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { heedStop } from "./heed-stop.ts";

test("once the file is there, who listens for Ctrl-C hears it once; where nobody does, the process is left", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "rpo-heed-")), "stop");
  const others = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT");
  try {
    const [heard, leave] = [vi.fn(), vi.fn()];
    process.on("SIGINT", heard);
    heedStop(file, leave);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(heard).not.toHaveBeenCalled();
    await writeFile(file, "");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect([heard.mock.calls.length, leave.mock.calls.length]).toEqual([1, 0]);
    process.removeListener("SIGINT", heard);
    heedStop(file, leave);
    await expect.poll(() => leave.mock.calls.length).toBe(1);
  } finally {
    for (const other of others) process.on("SIGINT", other);
  }
});
