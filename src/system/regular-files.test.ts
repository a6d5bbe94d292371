import { execFileSync } from "node:child_process";
import { appendFile, mkdtemp, open, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBytes, readBytesSync, readText, withRegular } from "./regular-files.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-regular-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bound = { atMost: 1000 };

test.skipIf(process.platform === "win32")(
  "pipes, devices, sockets and folders are named and not waited for",
  async () => {
    const at = (name: string) => join(folder, name);
    execFileSync("mkfifo", [at("pipe")]);
    await symlink("/dev/zero", at("endless"));
    await symlink("pipe", at("link"));
    const server = createServer().listen(at("socket"));
    try {
      for (const [name, kind] of [
        ["pipe", "a named pipe"],
        ["link", "a named pipe"],
        ["endless", "a device"],
        ["socket", "a socket"],
        ["", "a folder"],
      ]) {
        await expect(readBytes(at(name), bound)).rejects.toThrow(`expected a file, but it is ${kind}`);
        expect(() => readBytesSync(at(name), bound)).toThrow(`expected a file, but it is ${kind}`);
      }
    } finally {
      server.close();
    }
  },
);

test("a file of more bytes than its kind has is not read", async () => {
  const path = join(folder, "sparse");
  await writeFile(path, "x");
  await truncate(path, 12e9);
  await expect(readText(path)).rejects.toThrow("the file has 12 GB, expected at most 16 MB");
  expect(() => readBytesSync(path, bound)).toThrow("the file has 12 GB, expected at most 1 kB");
});

test("a file that grows is read up to where it ended when it was opened, one that shrinks to where it ends", async () => {
  const path = join(folder, "grows");
  await writeFile(path, "one\n");
  const lengths = await withRegular(path, bound, async (file, size) => {
    await appendFile(path, "two\n");
    return [size, (await file.stat()).size];
  });
  expect(lengths).toEqual([4, 8]);
  expect(await readText(path, bound)).toBe("one\ntwo\n");
  expect(readBytesSync(path, bound).toString()).toBe("one\ntwo\n");
});

test("a file is closed again, whatever happens", async () => {
  const path = join(folder, "closed");
  await writeFile(path, "");
  let kept: Awaited<ReturnType<typeof open>> | undefined;
  const failing = withRegular(path, bound, (file) => {
    kept = file;
    return Promise.reject(new Error("no"));
  });
  await expect(failing).rejects.toThrow("no");
  expect(kept?.fd).toBe(-1);
});
