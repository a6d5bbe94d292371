import { randomBytes } from "node:crypto";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { PLATFORMS, PROVIDER } from "../../src/gpu/packages.ts";
import { startIndex, type FakeIndex } from "../../src/gpu/testing/fake-index.ts";
import type { MadeWheel } from "../../src/gpu/testing/make-wheel.ts";
import { runtimeVersion } from "../../src/runtime/cuda/runtime-version.ts";
import { makeDriver, NO_COMPILER } from "../../src/runtime/cuda/testing/fake-library.ts";
import { rpo } from "../run/cli.ts";

/** `rpo gpu ...` as it was built, with an index whose libraries are none. */

const VERSIONS: Readonly<Record<string, string>> = {
  "nvidia-cuda-runtime": "13.5.37",
  "nvidia-cublas": "13.10.0.20",
  "nvidia-curand": "10.4.5.25",
  "nvidia-cuda-nvrtc": "13.5.37",
  "nvidia-cudnn-cu13": "9.28.1.4",
  [PROVIDER]: runtimeVersion(),
};

const platform = PLATFORMS.find(({ name }) => name === `${process.platform} ${process.arch}`);
const here = test.skipIf(platform === undefined);

/** All packages of this platform, small. */
const wheels = (platform?.packages ?? []).map(({ name, files }): MadeWheel => ({
  name,
  version: VERSIONS[name] ?? "1.0",
  tag: process.platform === "win32" ? "win_amd64" : "manylinux_2_28_x86_64",
  files: Object.fromEntries(
    files.map((file) => [
      `${name === PROVIDER ? "onnxruntime/capi" : "nvidia/lib"}/${file.name.replace("*", "5")}`,
      randomBytes(80_000),
    ]),
  ),
}));

let index: FakeIndex;
let home = "";
let env: Record<string, string> = {};
beforeAll(async () => {
  index = await startIndex(wheels);
});
afterAll(() => index.close());
beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), "rpo-gpu-cli-")), "gpu");
  env = { RPO_GPU_HOME: home, PIP_INDEX_URL: index.url.href };
});

here("install, status and remove, with the index that pip would take", async () => {
  const before = await rpo(["gpu", "status"], { env });
  expect([before.code, before.stdout]).toEqual([
    1,
    "ONNX Runtime's CUDA provider is not installed; rpo gpu install fetches it\n",
  ]);

  const dry = await rpo(["gpu", "install", "--dry-run"], { env });
  expect(dry.code).toBe(0);
  expect(dry.stdout).toContain("nvidia-cublas 13.10.0.20, MIT\n");
  expect(dry.stdout).toMatch(/libcublasLt|cublasLt64/);
  expect(await readdir(join(home, "..")), "nothing is written").toEqual([]);

  const asked = await rpo(["gpu", "install"], { env });
  expect([asked.code, asked.stderr]).toEqual([2, "rpo: nobody is here to be asked; --yes says that you agree\n"]);

  const installed = await rpo(["gpu", "install", "--yes", "--json"], { env });
  expect(installed.code).toBe(0);
  const lines = installed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly type: string; readonly folder?: string });
  expect(lines.map(({ type }) => type)).toEqual(["plan", "installed"]);
  const folder = lines[1].folder ?? "";
  expect(await readdir(home)).toEqual([folder.slice(home.length + 1)]);

  const after = await rpo(["gpu", "status", "--json"], { env });
  expect(after.code).toBe(0);
  expect(JSON.parse(after.stdout)).toMatchObject({ works: true, folder });

  const removed = await rpo(["gpu", "remove", "--yes"], { env });
  expect(removed.code).toBe(0);
  expect(await readdir(home)).toEqual([]);
});

here("Ctrl-C exits with 130, and the same command goes on", async () => {
  index.isSlow = true;
  const stopped = await rpo(["gpu", "install", "--yes"], { env, interruptWhen: /megabytes/ });
  index.isSlow = false;
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain("stopped; the same command goes on with what has been fetched");
  expect((await rpo(["gpu", "status"], { env })).code).toBe(1);
  expect((await rpo(["gpu", "install", "--yes"], { env })).code).toBe(0);
});

test("wrong usage exits 2 with a line", async () => {
  for (const [args, message] of [
    [["--index", "ftp://x"], /^rpo: --index: expected a Python package index's address/],
    [["--from", tmpdir(), "--dry-run"], /^rpo: --from .*: expected a Python environment/],
    [["nothing.whl"], /^rpo: nothing\.whl: no such file/],
  ] as const) {
    const { code, stderr, stdout } = await rpo(["gpu", "install", ...args], { env });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  }
});

test.skipIf(NO_COMPILER !== undefined)("rpo doctor names the card and what is to be installed", async () => {
  const card = { name: "NVIDIA GeForce RTX 3060", capability: [8, 6], memoryBytes: 12_622_168_064 } as const;
  const driver = await makeDriver({ cards: [card] });
  const { code, stdout } = await rpo(["doctor", "--threads", "1"], { env: { ...env, RPO_CUDA_DRIVER: driver } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/ok {5}NVIDIA +driver for CUDA 13\.0\n/);
  expect(stdout).toMatch(/ok {5}Card +NVIDIA GeForce RTX 3060, 12 GiB, compute capability 8\.6\n/);
  expect(stdout).toMatch(/note {3}CUDA +its libraries are not installed\n +-> rpo gpu install fetches them\n/);
});
