import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fingerprint, sha256 } from "./hashes.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hashes-"));
  path = join(folder, "model");
});
afterEach(() => rm(folder, { recursive: true }));

test("sha256 is the file's, and follows its changes", async () => {
  // FIPS 180-2, appendix B.1, and the digest of no bytes
  await writeFile(path, "abc");
  expect(await sha256(path)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  await writeFile(path, "");
  expect(await sha256(path)).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // FIPS 180-2, appendix B.3: a million a's
  await writeFile(path, "a".repeat(1e6));
  expect(await sha256(path)).toBe("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  await expect(sha256(join(folder, "none"))).rejects.toThrow("none: no such file");
});

test("a fingerprint changes with the ends, the middle and the size of a file", async () => {
  const bytes = new Uint8Array(20 * 2 ** 20);
  const seen = new Set<string>();
  let seconds = 1;
  const mark = async (content: Uint8Array) => {
    await writeFile(path, content);
    await utimes(path, seconds, seconds++);
    seen.add(await fingerprint(path));
  };
  await mark(bytes);
  await mark(bytes);
  expect(seen.size).toBe(1);
  for (const at of [0, bytes.length - 1, Math.floor((bytes.length * 30) / 65)]) {
    bytes[at] = 1;
    await mark(bytes);
  }
  await mark(bytes.subarray(0, 100));
  await mark(bytes.subarray(0, 0));
  expect(seen.size).toBe(6);
});
