import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { gatherCudaFacts } from "../doctor/cuda-facts.ts";
import { judgeCuda, mayUseCuda, type CudaReport } from "../doctor/cuda.ts";
import { folderName, type Manifest } from "../runtime/cuda/installation.ts";
import { makeDriver, NO_COMPILER, type FakeDriver } from "../runtime/cuda/testing/fake-library.ts";
import { describe } from "./doctor.ts";

/** What rpo doctor says of NVIDIA's cards, with drivers and libraries that are none. */

const RTX3060 = { name: "NVIDIA GeForce RTX 3060", capability: [8, 6], memoryBytes: 12_622_168_064 } as const;

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "rpo-doctor-"));
});

async function installStubs(version: string): Promise<string> {
  const folder = join(home, folderName(version));
  await mkdir(folder, { recursive: true });
  const names = ["libcudart.so.13", "libcublasLt.so.13", "libonnxruntime_providers_cuda.so"];
  for (const name of names) await writeFile(join(folder, name), "stub");
  const manifest: Manifest = {
    format: 1,
    version,
    cuda: 13,
    platform: "linux x64",
    packages: [
      { name: "nvidia-cublas", version: "13.10.0.20", licence: "", from: "" },
      { name: "onnxruntime-gpu", version, licence: "", from: "" },
    ],
    files: names.map((name) => ({ name, size: 4, sha256: "0".repeat(64), package: "", role: "preload" })),
  };
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  return folder;
}

const factsOf = (driver: string) => gatherCudaFacts({ driver, folder: join(home, folderName("1.30.0")) });
const shown = (report: CudaReport) => describe(judgeCuda(report), [], "rpo").split("\n").slice(2, -3).join("\n");
const withDriver = async (driver: FakeDriver) => factsOf(await makeDriver(driver));

test("no GPU", () => {
  const facts = factsOf("/nowhere/libcuda.so.1");
  expect(mayUseCuda(facts)).toBe(false);
  expect(shown(facts)).toBe("  ok     NVIDIA  no driver: no card, or none that is set up");
});

test.skipIf(NO_COMPILER !== undefined)("driver only", async () => {
  const facts = await withDriver({ cuda: 13000, cards: [RTX3060] });
  expect(mayUseCuda(facts)).toBe(false);
  expect(shown(facts)).toBe(
    `  ok     NVIDIA  driver for CUDA 13.0
  ok     Card    NVIDIA GeForce RTX 3060, 12 GiB, compute capability 8.6
  note   CUDA    its libraries are not installed
                 -> rpo gpu install fetches them`,
  );
});

test.skipIf(NO_COMPILER !== undefined)("wrong provider version", async () => {
  await installStubs("1.29.0");
  const facts = await withDriver({ cuda: 13000, cards: [RTX3060] });
  expect(mayUseCuda(facts)).toBe(false);
  expect(shown(facts)).toBe(
    `  ok     NVIDIA  driver for CUDA 13.0
  ok     Card    NVIDIA GeForce RTX 3060, 12 GiB, compute capability 8.6
  note   CUDA    installed is onnxruntime-1.29.0-cuda13, and this program needs onnxruntime-1.30.0-cuda13
                 -> rpo gpu install fetches it`,
  );
});

test.skipIf(NO_COMPILER !== undefined)("library missing", async () => {
  const folder = await installStubs("1.30.0");
  await rm(join(folder, "libcublasLt.so.13"));
  const facts = await withDriver({ cuda: 13000, cards: [RTX3060] });
  expect(mayUseCuda(facts)).toBe(false);
  expect(shown(facts)).toBe(
    `  ok     NVIDIA  driver for CUDA 13.0
  ok     Card    NVIDIA GeForce RTX 3060, 12 GiB, compute capability 8.6
  note   CUDA    ${join(folder, "libcublasLt.so.13")}: it is missing
                 -> rpo gpu install puts it right`,
  );
});

test.skipIf(NO_COMPILER !== undefined)("all is there, and what came of a session", async () => {
  await installStubs("1.30.0");
  const facts = await withDriver({ cuda: 13000, cards: [RTX3060] });
  expect(mayUseCuda(facts)).toBe(true);
  expect(shown({ ...facts, session: { works: true, gigaflops: 9812 } })).toBe(
    `  ok     NVIDIA         driver for CUDA 13.0
  ok     Card           NVIDIA GeForce RTX 3060, 12 GiB, compute capability 8.6
  ok     CUDA           nvidia-cublas 13.10.0.20, onnxruntime-gpu 1.30.0
  ok     --device cuda  works, 9.8 TFLOP/s`,
  );
  expect(shown({ ...facts, session: { error: "out of memory" } })).toMatch(
    /note {3}--device cuda {2}does not work\n +-> out of memory$/,
  );
});

test.skipIf(NO_COMPILER !== undefined)("an old driver, an old card, and a driver that does not start", async () => {
  expect(shown(await withDriver({ cuda: 12040, cards: [{ ...RTX3060, name: "GTX 1080", capability: [6, 1] }] }))).toBe(
    `  note   NVIDIA  driver for CUDA 12.4
                 -> install NVIDIA's driver 580 or newer (https://www.nvidia.com/drivers)
  note   Card    GTX 1080, 12 GiB, compute capability 6.1
                 -> ONNX Runtime has machine code for 7.5, 8.0, 8.6, 8.9, 9.0, 12.0 alone: take --device webgpu`,
  );
  expect(shown(await withDriver({ cards: [] }))).toBe("  ok     NVIDIA  driver for CUDA 13.0, and no card");
  expect(shown(await withDriver({ cuInit: 803 }))).toBe(
    `  note   NVIDIA  the driver does not work: the driver's library and its kernel module are of different versions: restart the machine
                 -> install NVIDIA's driver 580 or newer (https://www.nvidia.com/drivers)`,
  );
});
