import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findCuda, folderName, inspectInstallation, type Manifest } from "../runtime/cuda/installation.ts";
import { lockFolder } from "../system/lock.ts";
import { checkHome, downloadsIn, installCuda, type InstallOptions } from "./install.ts";
import { foldersIn, removeFolders, statusOf } from "./installed.ts";
import type { Platform } from "./packages.ts";
import { planInstallation, platformHere, sizesOf, type PlanRequest } from "./plan.ts";
import { startIndex, type FakeIndex } from "./testing/fake-index.ts";
import { describe, makeWheel, wheelFile, type MadeWheel } from "./testing/make-wheel.ts";

const LIBRARY = randomBytes(200_000); // cannot be packed
const PROVIDER = randomBytes(150_000);
const HEADERS = randomBytes(300_000);

/** A platform with two small packages. */
const PLATFORM: Platform = {
  name: "test",
  tag: /^test_tag$/,
  packages: [
    { name: "nvidia-cublas", range: "~=13.0", files: [{ name: "libcublas.so.13", role: "preload" }] },
    { name: "onnxruntime-gpu", range: "", files: [{ name: "libprovider.so", role: "beside" }] },
  ],
};
const CUBLAS: MadeWheel = {
  name: "nvidia-cublas",
  version: "13.10.0",
  files: { "nvidia/cu13/lib/libcublas.so.13": LIBRARY, "nvidia/cu13/include/cublas.h": HEADERS },
};
const ORT: MadeWheel = {
  name: "onnxruntime-gpu",
  version: "1.30.0",
  files: { "onnxruntime/capi/libprovider.so": PROVIDER },
  requires: ['nvidia-cublas~=13.0; extra == "cuda"'],
};

let home = "";
let library = "";
let folder = "";
let index: FakeIndex | undefined;
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), "rpo-install-"));
  home = join(root, "gpu");
  folder = join(home, folderName("1.30.0"));
  library = join(root, "libonnxruntime.so.1");
  await writeFile(library, "the runtime");
});
afterEach(async () => {
  await index?.close();
  index = undefined;
});

async function startWith(...wheels: readonly (MadeWheel & { readonly yanked?: boolean })[]): Promise<FakeIndex> {
  index = await startIndex(wheels);
  return index;
}

interface Change extends Partial<PlanRequest> {
  readonly install?: Partial<InstallOptions>;
}

/** Plans and installs, from the index that was started last. */
async function install({ install: options, ...change }: Change = {}) {
  const plan = await planInstallation({
    version: "1.30.0",
    platform: PLATFORM,
    wheels: [],
    from: undefined,
    index: { url: index?.url ?? new URL("http://127.0.0.1:9/simple"), authorization: undefined },
    downloads: downloadsIn(home),
    say: () => undefined,
    firstPauseMs: 1,
    ...change,
  });
  try {
    await installCuda(plan, { home, library, signal: change.signal, ...options });
    return plan;
  } finally {
    await plan.close();
  }
}

const readManifest = async () => JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
/** The largest range that was asked of a file since the last look. */
const bytesAskedOf = (each: FakeIndex) =>
  each.asked.splice(0).reduce((sum, { range }) => {
    const [, begin, end] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    return begin === undefined ? sum : sum + Number(end) - Number(begin) + 1;
  }, 0);

test.each(["json", "html"] as const)("from an index in %s the files that are needed are installed", async (format) => {
  const server = await startWith(CUBLAS, ORT);
  server.format = format;
  const plan = await install();
  expect(findCuda(folder)).toMatchObject({ runtime: join(folder, "libonnxruntime.so.1") });
  expect(findCuda(folder).preload.at(-1)).toBe(join(folder, "libcublas.so.13"));
  expect((await readdir(folder)).sort()).toEqual([
    "libcublas.so.13",
    "libonnxruntime.so.1",
    "libprovider.so",
    "licences",
    "manifest.json",
  ]);
  expect((await readFile(join(folder, "libcublas.so.13"))).equals(LIBRARY)).toBe(true);
  expect((await readManifest()).packages).toMatchObject([
    { name: "nvidia-cublas", version: "13.10.0", licence: "MIT" },
    { name: "onnxruntime-gpu", version: "1.30.0" },
  ]);
  expect(await readdir(join(folder, "licences"))).toEqual(["nvidia-cublas-13.10.0", "onnxruntime-gpu-1.30.0"]);
  expect(await readdir(home)).toEqual([folderName("1.30.0")]);
  expect(sizesOf(plan).size).toBe(LIBRARY.length + PROVIDER.length);
});

test("what is not needed is not fetched, and what is there already is not fetched again", async () => {
  const server = await startWith(CUBLAS, ORT);
  await install();
  const lookedAt = 10 * 65_558; // lists of contents and texts
  expect(bytesAskedOf(server)).toBeLessThan(LIBRARY.length + PROVIDER.length + lookedAt);
  await writeFile(join(folder, "libprovider.so"), "damaged");
  await install();
  const again = server.asked.filter(({ range }) => /^bytes=\d/.test(range));
  expect(again.some(({ file }) => file.startsWith("onnxruntime_gpu"))).toBe(true);
  expect((await readFile(join(folder, "libprovider.so"))).equals(PROVIDER)).toBe(true);
});

test("a connection that ends early is taken up where it ended", async () => {
  const server = await startWith(CUBLAS, ORT);
  server.cuts = { count: 0, afterBytes: 70_000 };
  let seen = 0;
  server.onFile = () => {
    // lists of contents come first; libraries are the answers that are longer than this
    if (seen++ === 0) server.cuts.count = 2;
  };
  await install();
  expect(server.cuts.count).toBe(0);
  const ranges = server.asked.filter(({ file }) => file.startsWith("nvidia")).map(({ range }) => range);
  const ends = ranges.map((range) => range.split("-").at(-1));
  const resumed = ranges.filter((_, i) => ends.indexOf(ends[i]) !== i && /^bytes=\d/.test(ranges[i]));
  expect(resumed.length).toBeGreaterThan(0);
  expect((await readFile(join(folder, "libcublas.so.13"))).equals(LIBRARY)).toBe(true);
});

test("what was stopped is no installation, and the next try goes on", async () => {
  const server = await startWith(CUBLAS, ORT);
  const stop = new AbortController();
  const onProgress = (done: number) => {
    if (done > 50_000) stop.abort();
  };
  await expect(install({ signal: stop.signal, install: { onProgress } })).rejects.toThrow(/^stopped; the same command/);
  expect(inspectInstallation(folder).state).toBe("none");
  const [part] = await readdir(downloadsIn(home));
  expect(part).toMatch(/^[0-9a-f]{64}\.part$/);
  expect(await foldersIn(home)).toMatchObject([{ isInstallation: false }]);
  server.asked.splice(0);
  const begun: number[] = [];
  await install({ install: { onProgress: (done) => begun.push(done) } });
  expect(begun[0]).toBeGreaterThan(50_000);
  expect(inspectInstallation(folder).state).toBe("whole");
});

test("from a server that gives no parts the whole wheel is fetched, and checked by the index's hash", async () => {
  const server = await startWith(CUBLAS, ORT);
  server.hasRanges = false;
  const said: string[] = [];
  await install({ say: (line) => said.push(line) });
  expect(said).toContain(
    `127.0.0.1:${server.url.port} gives no parts of files: all of ${wheelFile(CUBLAS)} is fetched`,
  );
  expect(inspectInstallation(folder).state).toBe("whole");
  expect(await readdir(home)).toEqual([folderName("1.30.0")]);

  await rm(home, { recursive: true });
  server.replaced.set(
    wheelFile(CUBLAS),
    makeWheel({ ...CUBLAS, files: { "nvidia/cu13/lib/libcublas.so.13": HEADERS } }),
  );
  await expect(install()).rejects.toThrow(/nvidia_cublas.*has not the SHA-256 that the index gives/);
});

test("a file that is not what its wheel's RECORD says is not installed", async () => {
  const recorded = { "nvidia/cu13/lib/libcublas.so.13": Buffer.alloc(32).toString("base64url") };
  await startWith({ ...CUBLAS, recorded }, ORT);
  await expect(install()).rejects.toThrow(/nvidia_cublas.*libcublas\.so\.13: it has not the SHA-256 of its RECORD/);
  expect(await readdir(folder)).toEqual([]);
  expect(await readdir(downloadsIn(home))).toEqual([]);
});

test("a name that leads out of the wheel is passed over, and so is a second file of a name", async () => {
  const evil = { ...CUBLAS, files: { "nvidia/../../libcublas.so.13": LIBRARY } };
  await startWith(evil, ORT);
  await expect(install()).rejects.toThrow(/nvidia_cublas/);
  await index?.close();
  const files = { "nvidia/a/libcublas.so.13": LIBRARY, "nvidia/b/libcublas.so.13": PROVIDER };
  await startWith({ ...CUBLAS, files }, ORT);
  await expect(install()).rejects.toThrow(/expected one libcublas\.so\.13 of nvidia-cublas, found nvidia\/a/);
  expect(inspectInstallation(folder).state).toBe("none");
});

test("the newest version that fits is taken: no candidate, no withdrawn one, none for others", async () => {
  const other = (version: string, more: Partial<MadeWheel> & { yanked?: boolean } = {}) => ({
    ...CUBLAS,
    version,
    ...more,
  });
  await startWith(
    other("13.9.0"),
    other("13.10.1"),
    other("13.11.0rc1"),
    other("13.12.0", { yanked: true }),
    other("13.13.0", { tag: "win_amd64" }),
    other("14.0.0"),
    ORT,
  );
  await install();
  expect((await readManifest()).packages[0].version).toBe("13.10.1");
});

test("a version or a package that the index does not have is named", async () => {
  await startWith(CUBLAS, { ...ORT, version: "1.29.0" });
  await expect(install()).rejects.toThrow(/^127\.0\.0\.1:\d+ has no onnxruntime-gpu ==1\.30\.0 for /);
  await index?.close();
  await startWith(ORT);
  await expect(install()).rejects.toThrow(
    /^127\.0\.0\.1:\d+ has no nvidia-cublas; is http.* a Python package index\?$/,
  );
});

/** An environment as pip leaves it. */
async function makeEnvironment(...wheels: readonly MadeWheel[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "rpo-venv-"));
  for (const wheel of wheels)
    for (const [path, bytes] of Object.entries(describe(wheel))) {
      const target = join(root, "lib/python3.12/site-packages", path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes);
    }
  return root;
}

test("an environment that has it all needs no index", async () => {
  const from = await makeEnvironment(CUBLAS, ORT);
  await install({ from });
  expect(inspectInstallation(folder).state).toBe("whole");
});

test("what an environment has not, or in another version, comes from the index; without one it is named", async () => {
  const from = await makeEnvironment(CUBLAS, { ...ORT, version: "1.29.0" });
  const said: string[] = [];
  await expect(install({ from })).rejects.toThrow(
    /site-packages|has no onnxruntime-gpu ==1\.30\.0, and the index cannot/,
  );
  await startWith(ORT);
  await install({ from, say: (line) => said.push(line) });
  expect(said[0]).toMatch(/has onnxruntime-gpu 1\.29\.0, and ==1\.30\.0 is needed: it is taken from the index/);
  expect((await readManifest()).packages.map((each) => each.from)).toEqual([
    join(from, "lib/python3.12/site-packages"),
    expect.stringMatching(/^http:/),
  ]);
});

test("a file of an environment that was changed is refused, and a folder that is none too", async () => {
  const from = await makeEnvironment(CUBLAS, ORT);
  const library = join(from, "lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
  await writeFile(library, Buffer.alloc(LIBRARY.length));
  await expect(install({ from })).rejects.toThrow(
    /libcublas\.so\.13: it has not the SHA-256 .*; install nvidia-cublas/,
  );
  await expect(install({ from: tmpdir() })).rejects.toThrow(/^from .*: expected a Python environment/);
});

test("wheels that are here are taken, others than are needed passed over", async () => {
  const downloads = await mkdtemp(join(tmpdir(), "rpo-wheels-"));
  const pathOf = async (wheel: MadeWheel) => {
    const path = join(downloads, wheelFile(wheel));
    await writeFile(path, makeWheel(wheel));
    return path;
  };
  const numpy = await pathOf({ name: "numpy", version: "2.0.0", files: {} });
  const said: string[] = [];
  await install({ wheels: [await pathOf(CUBLAS), numpy, await pathOf(ORT)], say: (line) => said.push(line) });
  expect(inspectInstallation(folder).state).toBe("whole");
  expect(said).toEqual([`${numpy} is not needed`]);
  await expect(install({ wheels: [numpy] })).rejects.toThrow(
    /none of the wheels is needed; needed are nvidia-cublas, onnx/,
  );
  const old = await pathOf({ ...CUBLAS, version: "12.9.0" });
  await expect(install({ wheels: [old, await pathOf(ORT)] })).rejects.toThrow(
    /12\.9\.0 does not do; it must be ~=13\.0/,
  );
  const broken = join(downloads, "nvidia_cublas-13.0-py3-none-any.whl");
  await writeFile(broken, "PK");
  await expect(install({ wheels: [broken] })).rejects.toThrow(/nvidia_cublas.*cannot be read as a wheel/);
  await expect(install({ wheels: [join(downloads, "none.whl")] })).rejects.toThrow(/none\.whl: no such file/);
});

test("two do not install at once, and there must be room", async () => {
  await startWith(CUBLAS, ORT);
  await expect(install({ install: { freeBytes: () => Promise.resolve(1e5) } })).rejects.toThrow(
    /\d+ kB are needed and 100 kB are free; make room, or set RPO_GPU_HOME/,
  );
  const unlock = await lockFolder(home, { command: "rpo gpu install", otherMachines: false });
  await expect(install()).rejects.toThrow(/another rpo gpu install works here/);
  await unlock();
});

test("what is installed is told, and removed", async () => {
  await startWith(CUBLAS, ORT);
  await install();
  await mkdir(join(home, "mine"));
  expect(await statusOf(home, folder)).toMatchObject({ works: true, problem: undefined });
  const folders = await foldersIn(home);
  expect(folders).toMatchObject([{ path: folder, isInstallation: true }]);
  expect(folders[0].bytes).toBeGreaterThan(LIBRARY.length + PROVIDER.length);
  expect(await removeFolders(home, folders)).toEqual([]);
  expect(await readdir(home)).toEqual(["mine"]);
  expect(await statusOf(home, folder)).toMatchObject({ works: false, folders: [] });
});

test("a library that is damaged at its right size is found by its SHA-256, and installed again", async () => {
  await startWith(CUBLAS, ORT);
  await install();
  await writeFile(join(folder, "libcublas.so.13"), Buffer.alloc(LIBRARY.length, 1));
  expect(inspectInstallation(folder).state).toBe("whole");
  const { works, problem } = await statusOf(home, folder);
  expect(works).toBe(false);
  expect(problem).toMatch(/libcublas\.so\.13: it is not what was installed, by its SHA-256; rpo gpu install puts it/);
  await install();
  expect(await statusOf(home, folder)).toMatchObject({ works: true });
});

test("what others put beside the libraries, and their own folder of downloads, is never removed", async () => {
  await startWith(CUBLAS, ORT);
  const others = [join(folder, "notes.txt"), join(home, "downloads", "thesis.pdf")];
  for (const path of others) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "mine");
  }
  await writeFile(join(folder, "libcudart.so.12"), "of an earlier version");
  await install();
  expect(await readdir(folder)).not.toContain("libcudart.so.12");
  expect(await removeFolders(home, await foldersIn(home))).toEqual([folder]);
  expect(await readdir(folder)).toEqual(["notes.txt"]);
  expect(await readdir(join(home, "downloads"))).toEqual(["thesis.pdf"]);
});

test("a folder that cannot be one is refused before anything is fetched", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "rpo-gpu-")), "file");
  await writeFile(file, "");
  await expect(checkHome(join(file, "gpu"))).rejects.toThrow(
    /file is no folder; set RPO_GPU_HOME to a folder of yours/,
  );
  await expect(checkHome(join(tmpdir(), "rpo-none", "gpu"))).resolves.toBeUndefined();
});

test("where there is no provider to be had, the platforms are named that have one", () => {
  expect(() => platformHere("darwin arm64")).toThrow(/^device cuda needs linux x64 or win32 x64, and this is darwin/);
});
