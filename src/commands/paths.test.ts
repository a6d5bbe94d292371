import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkFolder } from "./paths.ts";

const check = (path: string) => checkFolder("images", path, "a folder with pictures");

test.each(["~/photos", "~me/photos", "/home/me/~/photos"])(
  "%s, which a shell left as it was, says what ~ stands for and where",
  async (path) => {
    await expect(check(path)).rejects.toThrow(
      `images ${path}: no such folder (expected a folder with pictures); ~ stands for the home folder only outside of quotes`,
    );
  },
);

test("other paths say nothing of it: names may hold a ~", async () => {
  await expect(check("/nowhere/photos~1")).rejects.toThrow(/pictures\)$/);
});

test("a picture says which folder to give, another file that it is one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-paths-"));
  for (const name of ["dog.JPG", "notes.txt"]) await writeFile(join(folder, name), "");
  await expect(check(join(folder, "dog.JPG"))).rejects.toThrow(`but it is a file; give its folder, ${folder}`);
  await expect(check(join(folder, "notes.txt"))).rejects.toThrow(/but it is a file$/);
  await expect(check(folder)).resolves.toBeUndefined();
});
