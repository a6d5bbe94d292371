import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { checkpointPath } from "../../src/runs/folder.ts";
import { eventsOf, makePhotos, MODEL, rpo, temporaryFolder, trainingArgs } from "./cli.ts";

const SHORT =
  "--steps 2 --validate-every 2 --validation-images 1 --validation-steps 2 --negatives 1 --device cpu".split(" ");

async function lossesOf(run: string): Promise<number[]> {
  const events = (await eventsOf(run)) as { type: string; curves?: { loss: number } }[];
  return events.filter(({ type }) => type === "step").map(({ curves }) => curves?.loss ?? NaN);
}

test("from a checkpoint in half precision, --precision float16 trains and draws to the bit as float32 does, and the run says so", async () => {
  const folder = await temporaryFolder();
  const args = [...trainingArgs(await makePhotos()), ...SHORT];
  const losses: number[][] = [];
  for (const precision of ["float32", "float16"]) {
    const output = join(folder, precision);
    const { code, stderr } = await rpo([...args, "--precision", precision, "--output", output]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("best at lambda")]);
    expect(JSON.parse(await readFile(join(output, "config.json"), "utf8"))).toMatchObject({ precision });
    losses.push(await lossesOf(output));
  }
  const [single, half] = losses;
  expect(half).toHaveLength(2);
  expect(half).toEqual(single);

  const adapter = join(folder, "float16", checkpointPath(2));
  const draw = ["generate", "--model", MODEL, "--adapter", adapter, "--prompt", "a dog", "-n", "1", "--steps", "2"];
  const pictures: Buffer[] = [];
  for (const precision of ["float32", "float16"]) {
    const output = join(folder, `pictures-${precision}`);
    const flags = ["--device", "cpu", "--precision", precision, "--output", output];
    expect((await rpo([...draw, ...flags])).code).toBe(0);
    pictures.push(await sharp(join(output, "0.png")).raw().toBuffer());
  }
  expect(Buffer.compare(pictures[0], pictures[1])).toBe(0);
});

test("a whole U-Net does not train in float16: a line says so, before anything is written", async () => {
  const output = join(await temporaryFolder(), "run");
  const flags = ["--precision", "float16", "--adapter", "full", "--output", output];
  const { code, stderr } = await rpo([...trainingArgs(await makePhotos()), ...SHORT, ...flags]);
  expect(code).toBe(2);
  expect(stderr).toContain("--precision float16: a whole U-Net trains in float32; use --adapter lora");
  expect(existsSync(output)).toBe(false);
});
