import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packagePath } from "../system/package.ts";
import type { Interaction } from "./interaction.ts";
import { findSource } from "./source.ts";
import { textOf } from "../system/message.ts";

const nobody: Interaction = {
  fetch: () => Promise.reject(new Error("nothing here is on the hub")),
  warn: () => undefined,
};

async function modelFolder(train?: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-"));
  if (train !== undefined) await writeFile(join(folder, "rpo.json"), JSON.stringify({ train }));
  return folder;
}

const guidanceOf = async (model?: string) => (await findSource({ model }, nobody)).guidance;

test("guidance is the model's own, or the usual one", async () => {
  expect(await guidanceOf()).toBe(4); // the embedded one's
  expect(await guidanceOf(await modelFolder())).toBe(7.5);
  expect(await guidanceOf(await modelFolder({ steps: 10 }))).toBe(7.5);
  expect(await guidanceOf(await modelFolder({ guidance: 3 }))).toBe(3);
});

test("a run whose best is its starting model says so, and where others are", async () => {
  const run = await modelFolder();
  await cp(packagePath("tests/frozen/before-house/lora"), run, { recursive: true });
  const saidOf = async (adapter: string) => {
    const said: string[] = [];
    await findSource({ model: "tiny", adapter }, { ...nobody, warn: (line) => said.push(textOf(line)) });
    return said.filter((line) => line.includes("starting model"));
  };
  const choose = (step: number, checkpoint: string | null) =>
    writeFile(join(run, "best.json"), JSON.stringify({ lambda: 0.5, step, reward: 0.5, checkpoint }));
  await choose(2, "checkpoints/000002");
  expect(await saidOf(run)).toEqual([]);
  await choose(0, null);
  expect(await saidOf(run)).toEqual([
    `the best of ${run} is its starting model: this is the model as it was before training; another checkpoint is a folder in ${join(run, "checkpoints")}`,
  ]);
  expect(await saidOf(join(run, "checkpoints/000002"))).toEqual([]);
});

test("a model's guidance that is none is an error that names the file", async () => {
  const folder = await modelFolder({ guidance: -1 });
  await expect(guidanceOf(folder)).rejects.toThrow(`${folder}: rpo.json: guidance: expected`);
});
