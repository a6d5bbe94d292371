import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Random } from "./random.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import { sameShape, type HostTensor } from "./tensor.ts";

function isSame(a: HostTensor, b: HostTensor): boolean {
  const [x, y] = [a, b].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return a.dtype === b.dtype && sameShape(a.shape, b.shape) && x.equals(y);
}

test("a mapped file's tensors are those that are read, and own their buffers", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-safetensors-"));
  const tensors = [
    { name: "small", tensor: new Random(1).normal([3]) },
    { name: "large", tensor: new Random(2).normal([1, 300, 301]) },
    { name: "odd", tensor: new Random(3).normal([300_001]) },
  ];
  for (const dtype of ["F32", "F16"] as const) {
    const path = join(folder, `${dtype}.safetensors`);
    await writeSafetensors(path, tensors, { dtype });
    const [mapped, read] = [await openSafetensors(path, { mapped: true }), await openSafetensors(path)];
    for (const { name } of tensors) {
      const weights = await mapped.read(name);
      expect(weights.data.byteLength).toBe(weights.data.buffer.byteLength);
      expect(isSame(weights, await read.read(name))).toBe(true);
      expect(isSame(await mapped.readHalf(name), await read.readHalf(name))).toBe(true);
    }
  }
  await rm(folder, { recursive: true });
});
