import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import { imageAdapter } from "../models/common/image-adapter.ts";
import { rootScope } from "../nn/scope.ts";
import { compile } from "../runtime/compile.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { readImageAdapter, writeImageAdapter } from "./image-adapter.ts";
import { openTorchFile } from "./torch-files/torch-file.ts";
import { isKind } from "./torch-files/values.ts";

/** Written by PyTorch: tests/golden/image-adapter/make.py. */
const folder = fileURLToPath(new URL("../../tests/golden/image-adapter", import.meta.url));
const WIDTH = 6;

async function golden(name: string): Promise<Float32Tensor> {
  const file = await openTorchFile(join(folder, "adapter.pt"));
  const tensor = file.value instanceof Map ? file.value.get(name) : undefined;
  if (!isKind(tensor, "tensor")) throw new Error(`no ${name}`);
  return file.read(tensor, name);
}

test("an image adapter that PyTorch saved makes of features what PyTorch does", async () => {
  const parameters = await readImageAdapter(folder, WIDTH);
  const graph = new Graph();
  const features = await golden("features");
  const made = imageAdapter(rootScope(graph), graph.input("features", features.shape));
  const compiled = await compile({ made }, { threads: 1, parameters });
  const { data } = (await compiled.run({ features })).made;
  await compiled.release();
  (await golden("made")).data.forEach((x, i) => {
    expect(data[i]).toBeCloseTo(x, 5);
  });
});

test("what is written is read again, the same bytes each time, and refused with another model", async () => {
  const out = await mkdtemp(join(tmpdir(), "rpo-adapter-"));
  const parameters = await readImageAdapter(folder, WIDTH);
  await writeImageAdapter(out, parameters);
  const bytes = await readFile(join(out, "adapter.pt"));
  expect(await readImageAdapter(out, WIDTH)).toEqual(parameters);
  await writeImageAdapter(out, parameters);
  expect(await readFile(join(out, "adapter.pt"))).toEqual(bytes);
  await expect(readImageAdapter(out, 8)).rejects.toThrow("is the image adapter of another model?");
  await rm(out, { recursive: true });
});
