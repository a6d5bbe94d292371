import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mermaid, readImports, readLayers, reduced, withPicture } from "./layers.ts";

const root = process.cwd();
const imports = await readImports(root, await readLayers(root));

describe("the picture of the layers", () => {
  test("leaves out imports that follow from others", () => {
    const chain = new Map([
      ["low", new Set<string>()],
      ["middle", new Set(["low"])],
      ["high", new Set(["low", "middle"])],
    ]);
    expect(
      mermaid(reduced(chain))
        .split("\n")
        .filter((line) => line.includes("-->")),
    ).toEqual(["  high_ --> middle_", "  middle_ --> low_"]);
  });

  test("keeps an import against the order of the layers", () => {
    const circle = new Map([
      ["low", new Set(["high"])],
      ["high", new Set(["low"])],
    ]);
    expect(reduced(circle)).toEqual(circle);
  });

  test("in docs/README.md is of today's imports", async () => {
    const page = await readFile(join(root, "docs/README.md"), "utf8");
    expect(page, "docs/README.md is out of date: `npm run layers` renews it").toBe(withPicture(page, imports));
  });
});

test("the table of docs/architecture.md has a row for each layer, in the order of eslint.config.js", async () => {
  const page = await readFile(join(root, "docs/architecture.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z]+)\/`/gmu)].map(([, name]) => name);
  expect(rows).toEqual([...imports.keys()]);
});
