import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configFiles, findIndex, indexIn } from "./pip-config.ts";

const NOTHING = { PIP_CONFIG_FILE: "/dev/null" };

test("the index is what was given, else pip's own, else PyPI", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-pip-"));
  await mkdir(join(folder, "pip"));
  await writeFile(join(folder, "pip/pip.conf"), "[global]\nindex-url = https://files.example/simple/\n");
  const env = { XDG_CONFIG_HOME: folder, HOME: folder, XDG_CONFIG_DIRS: folder };
  const href = async (given: string | undefined, environment: Record<string, string>) =>
    (await findIndex(given, environment)).url.href;
  expect(await href(undefined, NOTHING)).toBe("https://pypi.org/simple");
  expect(await href(undefined, env)).toBe("https://files.example/simple");
  expect(await href(undefined, { ...env, PIP_INDEX_URL: "https://b.example/simple" })).toBe("https://b.example/simple");
  expect(await href("https://a.example/s/", { PIP_INDEX_URL: "https://b.example" })).toBe("https://a.example/s");
});

test("names and passwords in an address are told to the index alone", async () => {
  const { url, authorization } = await findIndex("https://me:s%40crt@a.example/simple", NOTHING);
  expect(url.href).toBe("https://a.example/simple");
  expect(authorization).toBe(`Basic ${Buffer.from("me:s@crt").toString("base64")}`);
});

test("an address that makes no sense is named by where it is from", async () => {
  await expect(findIndex("simple", NOTHING)).rejects.toThrow(/^index: expected a Python package index's address/);
  await expect(findIndex("http://a.example/simple", NOTHING)).rejects.toThrow(/^index: expected https/);
  await expect(findIndex(undefined, { ...NOTHING, PIP_INDEX_URL: "ftp://x" })).rejects.toThrow(/^PIP_INDEX_URL: exp/);
  await expect(findIndex("http://127.0.0.1:8000/simple", NOTHING)).resolves.toBeDefined();
});

test("of pip's configuration the section of the command comes before the general one", () => {
  expect(indexIn("[global]\nindex-url: https://a\n[install]\nindex_url=https://b\n")).toBe("https://b");
  expect(indexIn("# index-url = https://a\n[list]\nindex-url = https://c\n")).toBeUndefined();
});

test("files are looked for where pip does", () => {
  const files = configFiles({ HOME: "/home/me", VIRTUAL_ENV: "/venv", PIP_CONFIG_FILE: "/own.conf" });
  expect(files.slice(0, 4)).toEqual([
    "/own.conf",
    "/venv/pip.conf",
    "/home/me/.config/pip/pip.conf",
    "/home/me/.pip/pip.conf",
  ]);
  expect(files.at(-1)).toBe("/etc/pip.conf");
});
