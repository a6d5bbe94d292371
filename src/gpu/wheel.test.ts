import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ModelError, UsageError } from "../system/errors.ts";
import { Random } from "../tensor/random.ts";
import { parseMetadata, parseRecord } from "./metadata.ts";
import { makeWheel, wheelFile, type MadeWheel } from "./testing/make-wheel.ts";
import { unpack } from "./unpack.ts";
import { localBytes } from "./wheel-bytes.ts";
import { parseWheelName } from "./wheel-name.ts";
import { openWheel } from "./wheel.ts";

const LIBRARY = "nvidia/lib/libcublas.so.13";
const CUBLAS: MadeWheel = {
  name: "nvidia-cublas",
  version: "13.10.0",
  files: { [LIBRARY]: randomBytes(5000), "nvidia/../../evil": randomBytes(10) },
};

async function open(bytes: Buffer) {
  const folder = await mkdtemp(join(tmpdir(), "rpo-wheel-"));
  const path = join(folder, wheelFile(CUBLAS));
  await writeFile(path, bytes);
  const source = await localBytes(path);
  return { folder, source, opened: openWheel(source) };
}

test("a wheel lists its files with their hashes", async () => {
  const { folder, source, opened } = await open(makeWheel({ ...CUBLAS, files: { [LIBRARY]: CUBLAS.files[LIBRARY] } }));
  const wheel = await opened;
  expect(wheel.metadata).toMatchObject({ name: "nvidia-cublas", version: "13.10.0", licence: "MIT" });
  const member = wheel.members.find(({ path }) => path === LIBRARY);
  expect(member).toMatchObject({ size: 5000 });
  if (member !== undefined)
    await unpack(wheel, member, join(folder, "out"), { downloads: join(folder, "parts"), onBytes: () => undefined });
  expect(await readdir(folder)).toEqual([wheelFile(CUBLAS), "out", "parts"]);
  await source.close();
});

test("a name that leads out of the wheel makes it no wheel", async () => {
  const { source, opened } = await open(makeWheel(CUBLAS));
  await expect(opened).rejects.toThrow(/cannot be read as a wheel: invalid relative path/);
  await source.close();
});

test("a damaged wheel is refused, or its files are, whatever bytes are wrong", async () => {
  const whole = makeWheel({ ...CUBLAS, files: { [LIBRARY]: CUBLAS.files[LIBRARY] } });
  const rng = new Random(7);
  const draws = rng.normal([3 * 200]).data;
  const at = (draw: number, limit: number) => Math.floor((Math.abs(draw) * 1e6) % limit);
  let refused = 0;
  for (let i = 0; i < 200; i++) {
    const bytes = Buffer.from(whole);
    // mostly in the lists at the end
    const position = i % 4 === 0 ? at(draws[3 * i], bytes.length) : bytes.length - 1 - at(draws[3 * i], 700);
    bytes[position] = at(draws[3 * i + 1], 256);
    const { folder, source, opened } = await open(bytes);
    try {
      const wheel = await opened;
      for (const member of wheel.members)
        await unpack(wheel, member, join(folder, "out", member.path), {
          downloads: join(folder, "parts"),
          onBytes: () => undefined,
        });
    } catch (error) {
      refused++;
      expect(error).toBeInstanceOf(Error);
      expect(error instanceof ModelError || error instanceof UsageError || (error as Error).name === "Error").toBe(
        true,
      );
      expect((error as Error).message).toMatch(/nvidia_cublas/);
    } finally {
      await source.close();
    }
  }
  expect(refused).toBeGreaterThan(50);
});

test("names of wheels, METADATA and RECORD are read as Python's standards have them", () => {
  expect(parseWheelName("nvidia_cublas-13.10.0.20-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.whl")).toMatchObject({
    name: "nvidia-cublas",
    versionText: "13.10.0.20",
    platforms: ["manylinux1_x86_64", "manylinux_2_5_x86_64"],
  });
  expect(parseWheelName("a-1.0-2build-cp312-cp312-win_amd64.whl")?.platforms).toEqual(["win_amd64"]);
  for (const name of ["a.whl", "a-1.0.tar.gz", "../a-1.0-py3-none-any.whl", "a-1.0rc1-py3-none-any.whl"])
    expect(parseWheelName(name)).toBeUndefined();
  const metadata = parseMetadata(
    'Name: ONNXRuntime_GPU\nVersion: 1.30.0\nLicense: MIT\nRequires-Dist: nvidia-curand~=10.0; extra == "cuda"\nRequires-Dist: nvidia_cudnn-cu13 (>=9.1)\n\nName: other\n',
    "x",
  );
  expect(metadata).toMatchObject({ name: "onnxruntime-gpu", licence: "MIT" });
  expect([...metadata.requires]).toEqual([
    ["nvidia-curand", "~=10.0"],
    ["nvidia-cudnn-cu13", ">=9.1"],
  ]);
  const hash = Buffer.alloc(32, 1).toString("base64url");
  const record = `a/b.so,sha256=${hash},3\n"a,b.so",sha256=${hash},4\n../c,sha256=${hash},5\nRECORD,,\nd,md5=x,1\n`;
  expect(parseRecord(record).map(({ path, size }) => [path, size])).toEqual([
    ["a/b.so", 3],
    ["a,b.so", 4],
  ]);
});
