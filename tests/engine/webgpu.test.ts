import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { checkpointPath } from "../../src/runs/folder.ts";
import { eventsOf, makePhotos, MODEL, root, rpo, temporaryFolder, trainingArgs, type Kill } from "../run/cli.ts";
import { IS_THOROUGH } from "../thorough.ts";
import type { Profile } from "./node-places.ts";
import type { Captured } from "./webgpu-capture.ts";
import type { Comparison } from "./webgpu-training.ts";

/**
 * `--device webgpu` without a GPU: Debian's chromium brings SwiftShader, a Vulkan driver that computes on the CPU. The loader reads
 * these variables when a process starts, so everything here runs in processes of its own.
 */
const CHROMIUM = "/usr/lib/chromium";
const driver = join(CHROMIUM, "vk_swiftshader_icd.json");
const env = { LD_LIBRARY_PATH: CHROMIUM, VK_ICD_FILENAMES: driver };
const there = existsSync(driver);
if (!there) process.stderr.write(`skipped: ${driver} is not there (apt-get install chromium)\n`);

/** Where bundled programs go: they find the packages from here. */
const scratch = join(root, "node_modules/.cache/rpo-webgpu");
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Runs a program of this folder, bundled, on the software driver. @returns what it printed */
async function runProgram(name: string, ...args: readonly string[]): Promise<unknown> {
  await mkdir(scratch, { recursive: true });
  const outfile = join(scratch, `${name}.mjs`);
  await build({
    entryPoints: [join(root, "tests/engine", `${name}.ts`)],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  });
  const options = { env: { ...process.env, ...env }, maxBuffer: 1e8 };
  return JSON.parse((await promisify(execFile)(process.execPath, [outfile, ...args], options)).stdout);
}

describe.skipIf(!there)("--device webgpu, on a driver in software", { timeout: 600_000 }, () => {
  test("the device does what every device has to do", async () => {
    const suite = ["run", "--project", "unit", "src/runtime/backends/", "--reporter", "json"];
    const options = { cwd: root, env: { ...process.env, ...env, RPO_TEST_DEVICE: "webgpu" } };
    const { stdout } = await promisify(execFile)("npx", ["vitest", ...suite], options);
    const { testResults } = JSON.parse(stdout) as {
      testResults: { assertionResults: { ancestorTitles: string[]; status: string }[] }[];
    };
    const states = testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ ancestorTitles }) => ancestorTitles.includes("webgpu")).map(({ status }) => status),
    );
    expect(states.filter((status) => status === "passed").length).toBeGreaterThan(7);
    expect(states).not.toContain("failed");
  });

  test("every op and its gradient are the CPU's", async () => {
    const distances = Object.entries((await runProgram("webgpu-ops")) as Record<string, number>);
    expect(distances.length).toBeGreaterThan(60);
    // WGSL promises of sine and cosine no more than 2^-11
    const allowed = (name: string) => (/^(sin|cos) /.test(name) ? 2 ** -11 : 2e-5);
    expect(distances.filter(([name, distance]) => !(distance < allowed(name)))).toEqual([]);
  });

  const expectOnDevice = (name: string, { device, elsewhere }: Profile) => {
    expect([name, elsewhere]).toEqual([name, {}]);
    expect(Object.keys(device).length).toBeGreaterThan(5);
  };

  test("training is the CPU's, runs on the device alone, and leaves nothing there", async () => {
    const comparisons = (await runProgram("webgpu-training")) as Comparison[];
    expect(comparisons.map(({ name }) => name)).toEqual([
      "lora, normal memory",
      "lora, low memory",
      "full, normal memory",
    ]);
    for (const { name, losses, norms, moments, held, places } of comparisons) {
      for (const [cpu, device] of [...losses, ...norms]) expect(Math.abs(device / cpu - 1)).toBeLessThan(1e-4);
      expect(moments).toBeLessThan(5e-4);
      expect(held[0]).toBeGreaterThan(100);
      expect(held[1]).toBe(0);
      expectOnDevice(name, places);
    }
  });

  // two minutes on a driver in software, for what is off unless it is asked for
  test.runIf(IS_THOROUGH)(
    "graphs that are captured give the same bits, go through their nodes for the first step alone, and are freed",
    async () => {
      const { steps, nodes, ops, growth, held } = (await runProgram("webgpu-capture")) as Captured;
      expect(steps.on.length).toBeGreaterThan(100);
      expect(steps.on).toEqual(steps.off);
      // the first step proves the capture and goes through the graph twice, of three steps
      expect(nodes.on).toBe((nodes.off / 3) * 2);
      expect(nodes.on).toBeGreaterThan(1000);
      expect(ops).toEqual([]);
      expect(growth).toBeLessThan(32e6);
      expect(held).toBe(0);
    },
  );

  test("no node runs on the CPU, and nothing is copied between the two while a graph runs", async () => {
    const profiles = Object.entries((await runProgram("webgpu-profile", MODEL)) as Record<string, Profile>);
    expect(profiles.map(([name]) => name)).toContain("a sampling step");
    for (const [name, places] of profiles) expectOnDevice(name, places);
  });

  test.runIf(IS_THOROUGH)("a run trains, goes on after it was stopped, and its checkpoint draws", async () => {
    const folder = await temporaryFolder();
    const short = ["--steps", "2", "--validate-every", "2", "--validation-images", "1", "--validation-steps", "2"];
    const settings = [...trainingArgs(await makePhotos()), ...short, "--negatives", "1", "--guidance", "1", "--json"];
    const runs = { cpu: join(folder, "cpu"), webgpu: join(folder, "webgpu") };
    const whole = await rpo([...settings, "--output", runs.cpu]);
    const ended = [0, expect.stringContaining("best at lambda")];
    expect([whole.code, whole.stderr]).toEqual(ended);
    const lines = whole.stdout.split("\n");
    const kill: Kill = {
      signal: "SIGINT",
      afterLines: lines.findIndex((line) => line.includes('"step":1')) + 1,
      afterMs: 0,
    };
    const stopped = await rpo([...settings, "--device", "webgpu", "--output", runs.webgpu], { env, kill });
    expect([stopped.code, stopped.stderr]).toEqual([130, expect.stringContaining("--resume")]);
    const resumed = await rpo(["train", "--resume", "--output", runs.webgpu], { env });
    expect([resumed.code, resumed.stderr]).toEqual(ended);
    const rewards = async (run: string) =>
      ((await eventsOf(run)) as { type: string; reward: number }[])
        .filter(({ type }) => type === "validation")
        .map(({ reward }) => reward);
    const expected = await rewards(runs.cpu);
    expect(expected.length).toBe(2);
    (await rewards(runs.webgpu)).forEach((reward, i) => expect(reward).toBeCloseTo(expected[i], 2));

    const draw = ["generate", "--model", MODEL, "--adapter", join(runs.webgpu, checkpointPath(2)), "--prompt", "a dog"];
    for (const device of ["cpu", "webgpu"]) {
      const flags = ["-n", "1", "--steps", "2", "--device", device, "--output", join(folder, `pictures-${device}`)];
      const { code, stderr } = await rpo([...draw, ...flags], { env });
      expect([code, stderr]).toEqual([0, expect.stringContaining("1 picture in")]);
    }
    const pixels = (device: string) =>
      sharp(join(folder, `pictures-${device}`, "0.png"))
        .raw()
        .toBuffer();
    const [cpu, webgpu] = [await pixels("cpu"), await pixels("webgpu")];
    expect(Math.max(...cpu.map((value, i) => Math.abs(value - webgpu[i])))).toBeLessThanOrEqual(2);
  });
});

test("without a GPU there is one line that says so, before anything is written", async () => {
  const output = join(await temporaryFolder(), "run");
  const flags = [...trainingArgs(await makePhotos()), "--device", "webgpu", "--output", output];
  const noDriver = { LD_LIBRARY_PATH: "", VK_ICD_FILENAMES: "/dev/null", VK_DRIVER_FILES: "/dev/null" };
  const { code, stderr } = await rpo(flags, { env: noDriver });
  expect(code).toBe(2);
  expect(stderr).toMatch(/--device webgpu: no GPU was found/);
  expect(existsSync(output)).toBe(false);
});
