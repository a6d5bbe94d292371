import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { root } from "../run/cli.ts";

/** A graph is made of operations, and an operation is written with the graph's values: these alone may know each other. */
const TOGETHER = /^src\/graph\//;

/** The files that each file imports, types and `import()` included. */
async function readImports(folder: string): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".ts")) continue;
    const path = join(entry.parentPath, entry.name);
    const { importedFiles } = ts.preProcessFile(await readFile(path, "utf8"));
    const inside = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith("."));
    imports.set(
      relative(root, path),
      inside.map((name) => relative(root, join(dirname(path), name))),
    );
  }
  return imports;
}

/** For each circle one walk around it: a file, what it imports, and so on back to the file. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(" -> "));
    if (done.has(file) || way.includes(file)) return;
    for (const imported of imports.get(file) ?? []) visit(imported, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}

test("a circle is found, whatever leads into it", () => {
  const imports = { a: ["b"], b: ["c", "d"], c: ["b"], d: [] };
  expect(circlesOf(new Map(Object.entries(imports)))).toEqual(["b -> c -> b"]);
});

test("no two files import each other, not by way of others and not for a type", async () => {
  const imports = await readImports("src");
  expect([...imports.values()].flat().filter((imported) => imports.has(imported)).length).toBeGreaterThan(1000);
  const watched = [...imports].filter(([file]) => !TOGETHER.test(file));
  expect(circlesOf(new Map(watched))).toEqual([]);
});
