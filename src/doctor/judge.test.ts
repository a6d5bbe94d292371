import { expect, test } from "vitest";
import type { EngineReport } from "./engine.ts";
import { judge, type EmbeddedModels } from "./judge.ts";
import { parseFlags, type System } from "./system.ts";

const disk = { path: "/work", exists: true, writable: true, freeBytes: 100e9 };
const SYSTEM: System = {
  node: "22.1.0",
  platform: "linux",
  arch: "x64",
  processor: { model: "CPU", cores: 8, vectors: ["AVX", "AVX2"] },
  memory: { totalBytes: 32e9, availableBytes: 30e9 },
  work: disk,
  cache: disk,
};
const ENGINE: EngineReport = {
  pictures: { sharp: "0.35.5", vips: "8" },
  runtime: { version: "1.30.0", devices: ["cpu"] },
  webgpu: { works: true, gigaflops: 900 },
  cuda: {
    driver: { state: "none", reason: "no such file" },
    installation: { state: "none", folder: "/gpu", packages: [] },
  },
  openvino: { version: "2026.4.1", bfloat16: false },
  speed: { threads: 8, gigaflops: 300 },
};
const MODELS: EmbeddedModels = { model: true };

test("a machine that has it all is well, without advice", () => {
  const findings = judge(SYSTEM, ENGINE, MODELS);
  expect(findings.map(({ state }) => state)).toEqual(findings.map(() => "ok"));
  expect(findings.every(({ advice }) => advice === undefined)).toBe(true);
});

test("without a GPU all is well", () => {
  const findings = judge(SYSTEM, { ...ENGINE, webgpu: { error: "no adapter" } }, MODELS);
  expect(findings.filter(({ name }) => /WebGPU|NVIDIA/.test(name))).toEqual([
    { name: "NVIDIA", value: "no driver: no card, or none that is set up", state: "ok" },
    { name: "WebGPU", value: "no GPU that it can use", state: "ok" },
  ]);
});

test("OpenVINO is said, with what the processor can do, and nobody needs it", () => {
  const said = (openvino: EngineReport["openvino"]) =>
    judge(SYSTEM, { ...ENGINE, openvino }, MODELS).find(({ name }) => name === "OpenVINO");
  expect(said({ version: "2026.4.1", bfloat16: true })).toMatchObject({
    value: "2026.4.1: --device openvino, and --precision bfloat16",
  });
  expect(said({ error: "OpenVINO is not installed (pip install openvino)" })).toMatchObject({ state: "ok" });
});

type Change = readonly [system: Partial<System>, engine: Partial<EngineReport>, models?: EmbeddedModels];

test.each<[what: string, change: Change, finding: string, state: "note" | "fails", advice: RegExp]>([
  ["Node 18", [{ node: "18.20.0" }, {}], "Node", "fails", /install Node 20\.9/],
  ["Node 20.8", [{ node: "20.8.1" }, {}], "Node", "fails", /install Node 20\.9/],
  ["Node 27", [{ node: "27.0.0" }, {}], "Node", "note", /take 26/],
  [
    "no AVX2",
    [{ processor: { model: "old", cores: 2, vectors: ["AVX"] } }, {}],
    "Processor",
    "note",
    /another machine/,
  ],
  ["4 GB", [{ memory: { totalBytes: 4e9, availableBytes: 3e9 } }, {}], "Memory", "note", /does not fit/],
  ["7 GB", [{ memory: { totalBytes: 7e9, availableBytes: 7e9 } }, {}], "Memory", "note", /enough to draw/],
  ["memory in use", [{ memory: { totalBytes: 32e9, availableBytes: 3e9 } }, {}], "Memory", "note", /close other/],
  ["10 GB", [{ memory: { totalBytes: 10e9, availableBytes: 9e9 } }, {}], "Memory", "note", /--memory low/],
  ["no right to write", [{ work: { ...disk, writable: false } }, {}], "This folder", "fails", /--output/],
  ["a full disk", [{ work: { ...disk, freeBytes: 1e6 } }, {}], "This folder", "fails", /make space/],
  ["a nearly full disk", [{ work: { ...disk, freeBytes: 5e8 } }, {}], "This folder", "note", /make space/],
  ["a full cache", [{ cache: { ...disk, freeBytes: 1e9 } }, {}], "Model cache", "note", /HF_HOME/],
  ["a foreign cache", [{ cache: { ...disk, writable: false } }, {}], "Model cache", "note", /HF_HOME/],
  ["a bad address", [{ cache: { error: "HF_ENDPOINT x: expected" } }, {}], "Model cache", "fails", /correct/],
  ["musl", [{}, { runtime: { error: "no libm.so" } }], "ONNX Runtime", "fails", /glibc/],
  ["an Intel Mac", [{ platform: "darwin" }, { runtime: { error: "x" } }], "ONNX Runtime", "fails", /darwin arm64/],
  ["no sharp", [{}, { pictures: { error: "x" } }], "Pictures", "fails", /--omit=optional/],
  ["no embedded model", [{}, {}, { "--model tiny": false }], "Embedded", "note", /--model FOLDER/],
  ["a wrong GPU", [{}, { webgpu: { works: false, gigaflops: 0 } }], "WebGPU", "note", /do not use --device webgpu/],
  ["slowness", [{}, { speed: { threads: 1, gigaflops: 8 } }], "Speed", "note", /slow/],
  [
    "a driver that ends its process",
    [{}, { cuda: { error: "ended by SIGSEGV" } }],
    "NVIDIA",
    "note",
    /install NVIDIA's/,
  ],
  ["a crash", [{}, { speed: { error: "ended by SIGILL" } }], "Speed", "fails", /SIGILL/],
])("%s is found, with one line of advice", (_what, [system, engine, models = MODELS], name, state, advice) => {
  const findings = judge({ ...SYSTEM, ...system }, { ...ENGINE, ...engine }, models);
  const unwell = findings.filter((finding) => finding.state !== "ok");
  expect(unwell).toHaveLength(1);
  expect(unwell[0]).toMatchObject({ name, state });
  expect(unwell[0].advice).toMatch(advice);
  expect(unwell[0].advice).not.toContain("\n");
});

test("a damaged installation is told where there is no driver too", () => {
  const problem = "/gpu/libcudart.so.13: it is missing; rpo gpu install puts it right";
  const installation = { state: "damaged", folder: "/gpu", problem, packages: [] } as const;
  const cuda = { driver: { state: "none", reason: "no such file" }, installation } as const;
  const findings = judge(SYSTEM, { ...ENGINE, cuda }, MODELS).filter(({ state }) => state === "note");
  expect(findings.map(({ name }) => name)).toEqual(["NVIDIA", "CUDA"]);
  expect(findings[1].advice).toBe("rpo gpu install puts it right");
});

test("a disk whose space is not counted is no reason for advice", () => {
  const findings = judge({ ...SYSTEM, work: { ...disk, freeBytes: Infinity } }, ENGINE, MODELS);
  expect(findings).toContainEqual({ name: "This folder", state: "ok", value: "unknown space in /work" });
});

test("vector instructions are read from /proc/cpuinfo", () => {
  const cpuinfo = "processor\t: 0\nflags\t\t: fpu sse avx f16c avx2 avx512f avx512vl\n";
  expect(parseFlags(cpuinfo)).toEqual(["AVX", "AVX2", "AVX-512"]);
  expect(parseFlags("flags : fpu sse\n")).toEqual([]);
  expect(parseFlags("Features : fp asimd\n")).toBeUndefined();
});
