import { chmod, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { BACKENDS } from "../../src/runtime/backends/index.ts";
import type { Device } from "../../src/runtime/device.ts";
import { openOpenvino } from "../../src/runtime/openvino/library.ts";
import { processorOf } from "../../src/runtime/openvino/processor.ts";
import { isOpenvinoHere } from "../../src/runtime/openvino/testing/installed.ts";
import { exists } from "../../src/system/files.ts";
import {
  checkpointBytes,
  eventsOf,
  makePhotos,
  MODEL,
  rpo,
  temporaryFolder,
  trainingArgs,
  type Kill,
} from "../run/cli.ts";
import { createTinyTrainer, feedsOf } from "./tiny-training.ts";

/** `--device openvino`, where OpenVINO is installed. Ops are openvino-ops.test.ts's. */

const STEPS = 20;
const SIDE = 8;

async function trainOn(device: Device, adapter: "lora" | "full", memory: "normal" | "low") {
  const trainer = await createTinyTrainer({ device, adapter, memory, side: SIDE });
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) losses.push((await trainer.step(feedsOf(step, SIDE))).curves["loss"][0]);
  await trainer.release();
  return losses;
}

const photos = await makePhotos();
const short = "--steps 6 --validate-every 3 --validation-images 1 --sampler-steps 2 --negatives 1 --no-early-stopping";
const settings = [...trainingArgs(photos), ...short.split(" "), "--lr", "1e-3", "--device", "openvino"];

describe.skipIf(!isOpenvinoHere())("--device openvino", { timeout: 600_000 }, () => {
  test.each([
    ["lora", "normal"],
    ["lora", "low"],
    ["full", "normal"],
  ] as const)("20 steps of training have the CPU's losses: %s, %s memory", async (adapter, memory) => {
    const [expected, actual] = [await trainOn("cpu", adapter, memory), await trainOn("openvino", adapter, memory)];
    expect(actual).not.toEqual(expected); // another engine computed them
    actual.forEach((loss, step) => expect(Math.abs(loss / expected[step] - 1)).toBeLessThan(1e-4));
    expect(BACKENDS.openvino.memory.held).toBe(0);
  });

  test("a run that was killed ends with the bytes of one that was left alone, compiled models or none", async () => {
    const folder = await temporaryFolder();
    const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
    const env = { XDG_CACHE_HOME: join(folder, "cache") };
    const alone = await rpo([...settings, "--output", whole, "--json"], { env });
    expect([alone.code, alone.stderr]).toEqual([0, expect.stringContaining("best at lambda")]);
    expect((await readdir(join(folder, "cache/rpo/openvino"))).length).toBe(1);
    const config = JSON.parse(await readFile(join(whole, "config.json"), "utf8")) as object;
    expect(config).toMatchObject({
      device: "openvino",
      precision: "float32",
      versions: { onnxruntime: BACKENDS.openvino.version() },
    });

    // past the state of step 3, and as soon as it goes on
    const afterLines = alone.stdout.split("\n").findIndex((line) => line.includes('"step":5')) + 1;
    const anew = { XDG_CACHE_HOME: join(folder, "another") };
    const kills: readonly Kill[] = [
      { afterLines, afterMs: 0 },
      { afterLines: 1, afterMs: 0 },
    ];
    for (const kill of kills) {
      const resume = (await exists(broken)) ? ["--resume"] : [];
      const killed = await rpo([...settings, "--output", broken, "--json", ...resume], { kill, env: anew });
      expect(killed.code, killed.stderr).toBe(null);
    }
    const ended = await rpo(["train", "--resume", "--output", broken, "--yes"], { env: anew });
    expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining("best at lambda")]);
    expect(await eventsOf(broken)).toEqual(await eventsOf(whole));
    expect(await checkpointBytes(broken)).toEqual(await checkpointBytes(whole));
  });

  test("pictures are the CPU's but for a last bit", async () => {
    const folder = await temporaryFolder();
    const pixels = async (device: Device) => {
      const output = join(folder, device);
      const flags = ["--prompt", "a dog", "-n", "1", "--steps", "2", "--threads", "1", "--device", device];
      const { code, stderr } = await rpo(["generate", "--model", MODEL, ...flags, "--output", output]);
      expect([code, stderr]).toEqual([0, expect.stringContaining("1 picture in")]);
      return sharp(join(output, "0.png")).raw().toBuffer();
    };
    const [cpu, openvino] = [await pixels("cpu"), await pixels("openvino")];
    expect(cpu.length).toBe(16 * 16 * 3);
    expect(Math.max(...cpu.map((value, i) => Math.abs(value - openvino[i])))).toBeLessThanOrEqual(1);
  });

  test("compiled models in a folder that others can write to are not used", { timeout: 60_000 }, async () => {
    const cache = await temporaryFolder();
    await mkdir(join(cache, "rpo/openvino"), { recursive: true });
    await chmod(join(cache, "rpo/openvino"), 0o777);
    const { code, stderr } = await rpo([...settings, "--output", join(cache, "run")], {
      env: { XDG_CACHE_HOME: cache },
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining("expected a folder that only you can write to")]);
  });

  const { api } = openOpenvino();
  const hasBfloat16 = api !== undefined && processorOf(api).capabilities.includes("BF16");
  test.skipIf(hasBfloat16)("a processor without bfloat16 says so before anything is written", async () => {
    const output = join(await temporaryFolder(), "run");
    const { code, stderr } = await rpo([...settings, "--precision", "bfloat16", "--output", output]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^.*--precision bfloat16: this processor \(.+\) .*\n$/)]);
    expect(await exists(output)).toBe(false);
  });
});

test("without OpenVINO there is one line that says what to do, before anything is written", async () => {
  const output = join(await temporaryFolder(), "run");
  const { code, stderr } = await rpo([...settings, "--output", output], {
    env: { RPO_OPENVINO: "", PATH: "/nowhere", HOME: "/nowhere", VIRTUAL_ENV: "", CONDA_PREFIX: "" },
  });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^.*--device openvino: .*pip install openvino.*\n$/)]);
  expect(await exists(output)).toBe(false);
});

test.skipIf(!isOpenvinoHere())("--memory low, which would take more memory, is refused", async () => {
  const { code, stderr } = await rpo([...settings, "--memory", "low"]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^.*--memory low: with --device openvino .*\n$/)]);
});

test("bfloat16 is for OpenVINO", async () => {
  const { code, stderr } = await rpo([...settings, "--device", "cpu", "--precision", "bfloat16"]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining("--precision bfloat16: --device cpu computes in float32"),
  ]);
});
