import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readEvents } from "../../src/runs/folder.ts";
import { few, makePhotos, MODEL, REWARD, rpo, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** `rpo train --dry-run` says what the same training does, and does nothing. */

const photos = await makePhotos(2);
const SETTINGS = ["--model", MODEL, "--reward", REWARD, "--images", photos, "--class", "dog", "--threads", "1"];
const FEW = [...few(3), "--negatives", "1"];

test("what is planned is what is done: settings, files, shapes, pictures; and nothing is written", async () => {
  const output = join(await temporaryFolder(), "run");
  const train = ["train", ...SETTINGS, ...FEW, "--output", output];
  const { code, stdout, stderr } = await rpo([...train, "--dry-run"]);
  expect(code, stderr).toBe(0);
  expect(existsSync(output)).toBe(false);
  for (const line of [
    /^Subject$/m,
    /^ {2}photos +.*photos/m,
    /^ {2}learning rate +0\.0001$/m,
    /^ {2}.* .*model\.safetensors$/m,
    /^ {2}a photo of \[V\] dog$/m,
    /^ {2}ref\.noisy +1 x 4 x /m,
    /^ {2}steps +3 of \d+\.\d\d s$/m,
    /^ {2}trains +[\d,]+ numbers in \d+ tensors$/m,
    /^Nothing was trained or written\./m,
  ])
    expect(stdout).toMatch(line);

  const planned = JSON.parse((await rpo([...train, "--dry-run", "--json"])).stdout.trim().split("\n").at(-1) ?? "") as {
    type: string;
    startingPictures: number;
    settings: object;
    cost: { steps: number; pictures: number };
  };
  expect(planned).toMatchObject({ type: "plan", cost: { steps: 3 }, settings: { learningRate: 1e-4, device: "cpu" } });
  expect((await rpo(train)).code).toBe(0);
  const events = await readEvents(output);
  const drawn = events.filter(({ type }) => type === "starting-picture").length;
  const validated = events.flatMap((event) => (event.type === "validation" ? event.images : [])).length;
  expect([planned.startingPictures, planned.cost.pictures]).toEqual([drawn, drawn + validated]);
});

test("what is wrong is found, by the same words and before anything long", async () => {
  const wrong = await rpo(["train", ...SETTINGS, "--resolution", "33", "--dry-run"]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--resolution 33: expected a multiple")]);
});

test("of a run that goes on it says what is left, and leaves it as it is", async () => {
  const request = await shortRequest(photos);
  await runHere(request, { until: atStep(3) });
  const before = (await readdir(request.output)).sort();
  const { code, stdout, stderr } = await rpo([
    "train",
    "--resume",
    "--output",
    request.output,
    "--steps",
    "6",
    "--dry-run",
  ]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^ {2}steps +3 of /m);
  expect((await readdir(request.output)).sort()).toEqual(before);
  expect((await runHere(request, { resume: true })).reason).toBe("steps");
});
