import { execFile } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, temporaryFolder } from "../run/cli.ts";

/** The examples import "rpo", which in this checkout is what was built. */
async function run(example: string, ...args: readonly string[]): Promise<string[]> {
  const path = join(root, "examples", example);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path, ...args], { cwd: folder });
  // what is worth knowing and wrong of nothing: which prompts the class got, and that masks are no photos
  const notes = stderr.split("\n").filter((line) => !/^("dog" gets the default prompts|not read of )/.test(line));
  expect(notes.join("\n")).toBe("");
  return stdout.trim().split("\n");
}

let folder: string;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => rm(folder, { recursive: true }));

test("draw.mjs draws two pictures", async () => {
  const lines = await run("draw.mjs", "pictures");
  expect(lines).toContain("drawing: 20 of 20");
  expect(lines.slice(-2)).toEqual([
    `${join("pictures", "0.png")}: a dog on the beach, seed 7, 64 x 64`,
    `${join("pictures", "1.png")}: a red teapot, seed 7, 64 x 64`,
  ]);
  expect(await readdir(join(folder, "pictures"))).toEqual(["0.png", "1.png"]);
});

test("train.mjs trains, and select.mjs chooses among its checkpoints", async () => {
  const lines = await run("train.mjs", "run");
  expect(lines.filter((line) => /^step \d: loss [\d.]+$/.test(line))).toHaveLength(4);
  expect(lines.at(-1)).toMatch(/^steps after step 4; best is step \d, reward 0\.\d{4}, in run$/);
  const chosen = await run("select.mjs", "run", "0.1");
  expect(chosen.map((line) => line.split(":")[0])).toEqual(["step 0", "step 2", "step 4", "lambda 0.1"]);
});

test("score.mjs: a photo of the dog is more like the dog than a teapot is", async () => {
  const rewards = (await run("score.mjs")).map((line) => Number(/reward ([\d.]+)/.exec(line)?.[1]));
  expect(rewards).toHaveLength(2);
  expect(rewards[0]).toBeGreaterThan(rewards[1]);
});

test("evaluate.mjs judges two pictures", async () => {
  const lines = await run("evaluate.mjs", "judged");
  expect(lines.map((line) => line.split(":")[0])).toEqual(
    expect.arrayContaining(["dino", "clipI", "clipT", "alignI", "alignT", "copies"]),
  );
});
