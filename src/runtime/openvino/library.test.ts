import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../system/errors.ts";
import { findOpenvino, isKnown, openOpenvino } from "./library.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-openvino-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(...path: readonly string[]): Promise<string> {
  const full = join(folder, ...path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, "no library");
  return full;
}

function find(env: Record<string, string>, platform: NodeJS.Platform = "linux"): string | undefined {
  return findOpenvino({ env, platform, origin: join(folder, "program.js") });
}

const inPackage = ["lib", "python3.11", "site-packages", "openvino", "libs", "libopenvino_c.so.2641"];

describe("an installation is found", () => {
  test.each([
    ["by its own folder", [], "libopenvino_c.so.2641", "linux"],
    ["by Python's package", ["libs"], "libopenvino_c.so.2641", "linux"],
    ["by Python's packages", ["openvino", "libs"], "libopenvino_c.2641.dylib", "darwin"],
    ["by Intel's archive for Linux", ["runtime", "lib", "intel64"], "libopenvino_c.so", "linux"],
    ["by Intel's archive for Windows", ["runtime", "bin", "intel64", "Release"], "openvino_c.dll", "win32"],
  ] as const)("that RPO_OPENVINO names %s", async (_, inner, name, platform) => {
    const path = await file(...inner, name);
    expect(find({ RPO_OPENVINO: folder }, platform)).toBe(path);
  });

  test("in the virtual environment of the shell, before that of the path's python", async () => {
    const mine = await file("mine", ...inPackage);
    await file("other", ...inPackage);
    await file("other", "bin", "python3");
    const env = { VIRTUAL_ENV: join(folder, "mine"), PATH: join(folder, "other", "bin") };
    expect(find(env)).toBe(mine);
  });

  test("through a python on the path, and through what it is a link to", async () => {
    const path = await file("python", ...inPackage);
    await file("python", "bin", "python3.11");
    await mkdir(join(folder, "bin"));
    await symlink(join(folder, "python", "bin", "python3.11"), join(folder, "bin", "python3"));
    expect(find({ PATH: join(folder, "bin") })).toBe(path);
  });

  test("on Windows, in a Python's own folder", async () => {
    const path = await file("Python313", "Lib", "site-packages", "openvino", "libs", "openvino_c.dll");
    expect(find({ VIRTUAL_ENV: join(folder, "Python313") }, "win32")).toBe(path);
  });

  test("beside npm's openvino-node", async () => {
    await file("node_modules", "openvino-node", "package.json");
    await writeFile(join(folder, "node_modules", "openvino-node", "package.json"), "{}");
    const path = await file("node_modules", "openvino-node", "bin", "libopenvino_c.so.2640");
    expect(find({})).toBe(path);
  });
});

test("RPO_OPENVINO=off goes without the one that is there", async () => {
  await file(...inPackage);
  expect(find({ VIRTUAL_ENV: folder, RPO_OPENVINO: "off" })).toBeUndefined();
});

test("a folder without one is an error that says which folder is meant", () => {
  expect(() => find({ RPO_OPENVINO: folder })).toThrow(
    new UsageError(
      `RPO_OPENVINO=${folder}: no libopenvino_c there; name the folder that has it, such as site-packages/openvino/libs`,
    ),
  );
});

test("a file that is no library is an error of one line that says what to do, where somebody asked for it", async () => {
  const path = await file("libopenvino_c.so");
  const open = () => openOpenvino({ env: { RPO_OPENVINO: folder }, platform: "linux" });
  expect(open).toThrow(UsageError);
  expect(open).toThrow(new RegExp(`^RPO_OPENVINO=${folder}: ${path} cannot be loaded \\(.*\\): install another`));
});

test("one that was found and cannot be used is in nobody's way", async () => {
  await file(...inPackage);
  const { api, ...why } = openOpenvino({
    env: { VIRTUAL_ENV: folder },
    platform: "linux",
    origin: join(folder, "x.js"),
  });
  expect(api).toBeUndefined();
  expect(why).toEqual({ reason: expect.stringMatching(/libopenvino_c.so.2641 cannot be loaded/) as string });
});

test("releases are known from 2026.4 on, to the end of that year", () => {
  const versions = ["2025.4.1", "2026.3.1", "2026.4.0", "2026.4.1", "2026.5.0", "2027.0.0", "custom"];
  expect(versions.filter(isKnown)).toEqual(["2026.4.0", "2026.4.1", "2026.5.0"]);
});
