import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeSafetensors } from "../tensor/safetensors.ts";
import { float32 } from "../tensor/tensor.ts";
import { checkTrained } from "../checkpoints/trained-files.ts";
import { hasCheckpoint, partialCheckpoints, putCheckpoint, removeCheckpoint } from "./checkpoints.ts";

const newRun = () => mkdtemp(join(tmpdir(), "rpo-checkpoints-"));
const write = (value: number) => async (folder: string) => {
  await writeFile(join(folder, "config.json"), "{}\n");
  await writeSafetensors(join(folder, "diffusion_pytorch_model.safetensors"), [
    { name: "w", tensor: float32([value, 2, 3]) },
  ]);
};

test("a checkpoint that is removed leaves what others have put beside it and into it", async () => {
  const run = await newRun();
  const checkpoints = join(run, "checkpoints");
  for (const step of [40, 80]) await putCheckpoint(run, step, write(step));
  await mkdir(join(checkpoints, "000040-favourite"));
  await mkdir(join(checkpoints, "my-notes"));
  await writeFile(join(checkpoints, "000080", "why I like it.txt"), "the ears");
  for (const step of [40, 80, 120]) await removeCheckpoint(run, step);
  expect((await readdir(checkpoints)).sort()).toEqual(["000040-favourite", "000080", "my-notes"]);
  expect(await hasCheckpoint(run, 80)).toBe(true);
  await checkTrained(join(checkpoints, "000080"));
});

test("a checkpoint that is written again keeps what others have put into it", async () => {
  const run = await newRun();
  await putCheckpoint(run, 40, write(1));
  const folder = join(run, "checkpoints/000040");
  await writeFile(join(folder, "note.txt"), "mine");
  await putCheckpoint(run, 40, write(2));
  expect(await readFile(join(folder, "note.txt"), "utf8")).toBe("mine");
  await checkTrained(folder);
  expect(await partialCheckpoints(run)).toEqual([]);
});

test.each(["config.json", "diffusion_pytorch_model.safetensors", "SHA256SUMS"])(
  "any bit of a checkpoint's %s counts",
  async (name) => {
    const run = await newRun();
    await putCheckpoint(run, 40, write(1));
    const file = join(run, "checkpoints/000040", name);
    const bytes = await readFile(file);
    for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 1;
      await writeFile(file, damaged);
      await expect(checkTrained(join(run, "checkpoints/000040"))).rejects.toThrow(join(run, "checkpoints/000040"));
    }
  },
);

test.each(["", "0123"])("sums that are %j are damaged", async (text) => {
  const run = await newRun();
  await putCheckpoint(run, 40, write(1));
  const folder = join(run, "checkpoints/000040");
  await writeFile(join(folder, "SHA256SUMS"), text);
  await expect(checkTrained(folder)).rejects.toThrow(/SHA256SUMS: damaged/);
});

test("what systems put into folders does not keep a checkpoint, nor does a temporary file of its own", async () => {
  const run = await newRun();
  await putCheckpoint(run, 40, write(1));
  for (const name of [".DS_Store", ".config.json.1-0-0-0.tmp"])
    await writeFile(join(run, "checkpoints/000040", name), "");
  await removeCheckpoint(run, 40);
  expect(await readdir(join(run, "checkpoints"))).toEqual([]);
});

test("a checkpoint without its settings does not count", async () => {
  const run = await newRun();
  await putCheckpoint(run, 40, write(1));
  await rm(join(run, "checkpoints/000040/config.json"));
  expect(await hasCheckpoint(run, 40)).toBe(false);
});
