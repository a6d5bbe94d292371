import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { insideOf, staysInside } from "./inside.ts";

test.each([
  ["images/negative-03-1.png", true],
  ["live.json", true],
  ["..png", true],
  ["/etc/passwd", false],
  ["C:\\secrets", false],
  ["..", false],
  ["images/../../secrets.png", false],
  ["images\\..\\..\\secrets.png", false],
])("%s stays inside: %o", (path, inside) => expect(staysInside(path)).toBe(inside));

test("a link leads where it leads: within the folder it may, out of it no file is found", async () => {
  const root = await mkdtemp(join(tmpdir(), "rpo-inside-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const run = join(root, "run");
  await mkdir(join(run, "images"), { recursive: true });
  await mkdir(join(root, "run-2"));
  await writeFile(join(root, "run-2/private.png"), "");
  await writeFile(join(run, "images/a.png"), "");
  await symlink("a.png", join(run, "images/b.png"));
  await symlink("../../run-2/private.png", join(run, "images/c.png"));
  await symlink(join(root, "run-2"), join(run, "elsewhere"));
  await symlink(run, join(root, "alias"));
  for (const folder of [run, join(root, "alias")]) {
    for (const path of ["images/a.png", "images/b.png", ""]) expect(insideOf(folder, path)).toBe(join(folder, path));
    expect(insideOf(folder, "images/none.png")).toBeUndefined();
    for (const path of ["images/c.png", "elsewhere/private.png", "elsewhere", ".."])
      expect(() => insideOf(folder, path)).toThrow(/leads out of .*; put the file itself there/);
  }
});
