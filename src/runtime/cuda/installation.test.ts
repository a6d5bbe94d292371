import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { findCuda, folderName, gpuHome, inspectInstallation, type Manifest } from "./installation.ts";

let home = "";
let folder = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "rpo-gpu-"));
  folder = join(home, folderName("1.30.0"));
});

const file = (name: string, role: Manifest["files"][number]["role"]) =>
  ({ name, size: 3, sha256: "0".repeat(64), package: "nvidia-cublas", role }) as const;

async function install(change: Partial<Manifest> = {}, into = folder): Promise<void> {
  const manifest: Manifest = {
    format: 1,
    version: "1.30.0",
    cuda: 13,
    platform: "linux x64",
    packages: [],
    files: [
      file("libcudart.so.13", "preload"),
      file("libcublasLt.so.13", "preload"),
      file("libonnxruntime_providers_cuda.so", "beside"),
      file("libonnxruntime.so.1", "runtime"),
    ],
    ...change,
  };
  await mkdir(into, { recursive: true });
  for (const { name } of manifest.files) await writeFile(join(into, name), "abc");
  await writeFile(join(into, "manifest.json"), JSON.stringify(manifest));
}

test("what is to be loaded is told in its order", async () => {
  await install();
  const { runtime, preload } = findCuda(folder);
  expect(runtime).toBe(join(folder, "libonnxruntime.so.1"));
  expect(preload.slice(-2)).toEqual([join(folder, "libcudart.so.13"), join(folder, "libcublasLt.so.13")]);
  expect(inspectInstallation(folder)).toMatchObject({ state: "whole" });
});

test.each<[what: string, break_: () => Promise<void>, message: RegExp]>([
  ["nothing installed", () => Promise.resolve(), /^device cuda: .* is not installed; rpo gpu install fetches it$/],
  [
    "only another version",
    () => install({ version: "1.29.0" }, join(home, folderName("1.29.0"))),
    /installed is onnxruntime-1\.29\.0-cuda13, and this program needs onnxruntime-1\.30\.0-cuda13; rpo gpu install/,
  ],
  [
    "another version in its folder",
    () => install({ version: "1.29.0" }),
    /installed is onnxruntime-1\.29\.0-cuda13, and this program needs onnxruntime-1\.30\.0/,
  ],
  [
    "a file that is missing",
    async () => {
      await install();
      await rm(join(folder, "libcublasLt.so.13"));
    },
    /libcublasLt\.so\.13: it is missing; rpo gpu install puts it right$/,
  ],
  [
    "a file that is cut",
    async () => {
      await install();
      await writeFile(join(folder, "libcudart.so.13"), "a");
    },
    /libcudart\.so\.13: it has 1 bytes, expected 3; rpo gpu install puts it right$/,
  ],
  [
    "a manifest that is none",
    async () => {
      await install();
      await writeFile(join(folder, "manifest.json"), "{");
    },
    /manifest\.json: .*; rpo gpu install puts it right$/,
  ],
  [
    "a name that leads out of the folder",
    async () => {
      await install({ files: [file("libcudart.so.13", "preload")] });
      const text = JSON.stringify({ format: 1, version: "1.30.0", cuda: 13, platform: "x", packages: [] });
      await writeFile(
        join(folder, "manifest.json"),
        text.replace(/\}$/, `,"files":[${JSON.stringify({ ...file("x", "preload"), name: "../evil.so" })}]}`),
      );
    },
    /manifest\.json: .*files\.0\.name/,
  ],
])("%s is refused in one line with what to do", async (_what, break_, message) => {
  await break_();
  expect(() => findCuda(folder)).toThrow(message);
  expect(() => findCuda(folder)).toThrow(/^[^\n]*$/);
});

test("the folder is the user's cache, unless RPO_GPU_HOME says otherwise", () => {
  expect(gpuHome({ RPO_GPU_HOME: "/somewhere" })).toBe("/somewhere");
  expect(gpuHome({ XDG_CACHE_HOME: "/cache", LOCALAPPDATA: "/cache" })).toBe("/cache/rpo/gpu");
});
