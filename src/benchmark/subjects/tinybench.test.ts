import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { temporaryPath } from "../../system/leftovers.ts";
import { prepareTinybench } from "./tinybench.ts";

test("photos whose making was killed are removed, those that are there stay", async () => {
  const output = await mkdtemp(join(tmpdir(), "rpo-tinybench-"));
  const data = join(output, "data");
  const killed = basename(await temporaryPath(join(data, "can"))).replace(/-[0-9a-f]{12}-/, "-0123456789ab-");
  const earlier = "clock.making-01234567-89ab-4def-8123-456789abcdef";
  for (const name of ["vase", killed, earlier]) {
    await mkdir(join(data, name), { recursive: true });
    await writeFile(join(data, name, "01.png"), "");
  }
  for (const path of [join(earlier, "01.png"), earlier]) await utimes(join(data, path), 0, 0);
  await prepareTinybench(output, ["vase"], "home");
  // where the system tells nothing of a process's start, ours is alive
  expect(await readdir(data)).toEqual(process.platform === "win32" ? [killed, "vase"] : ["vase"]);
  await rm(output, { recursive: true });
});
