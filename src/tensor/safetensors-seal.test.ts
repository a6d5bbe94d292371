import { mkdtemp, readFile, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import { isIntact } from "./safetensors-seal.ts";
import { float32 } from "./tensor.ts";

async function sealed(): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "rpo-seal-")), "state.safetensors");
  const metadata = { note: '"rpo_sha256":"' };
  await writeSafetensors(path, [{ name: "w", tensor: float32([1, 2, 3, 4, 5]) }], { metadata, sealed: true });
  return path;
}

test("every byte of a sealed file counts: each one changed is found, in the header or by the seal", async () => {
  const path = await sealed();
  const bytes = await readFile(path);
  expect(await isIntact(await openSafetensors(path), { required: true })).toBe(true);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] ^= 1;
    await writeFile(path, damaged);
    const found = await openSafetensors(path).then(
      async (file) => !(await isIntact(file, { required: true })),
      (error: unknown) => error instanceof ModelError,
    );
    expect(found, `byte ${at} of ${bytes.length}`).toBe(true);
  }
});

test("a file without a seal passes where none is expected; one that is cut short does not", async () => {
  const path = await sealed();
  await writeSafetensors(path, [{ name: "w", tensor: float32([1]) }]);
  const file = await openSafetensors(path);
  expect(await isIntact(file, { required: false })).toBe(true);
  await truncate(path, file.size - 2);
  await expect(openSafetensors(path)).rejects.toThrow(path);
});
