import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../run/cli.ts";

const docs = (await readdir(join(root, "docs"))).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`);
const pages = ["README.md", "CONTRIBUTING.md", ...docs];
const read = (page: string) => readFile(join(root, page), "utf8");

/** The anchor that GitHub gives a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

describe.each(pages)("%s", (page) => {
  test("its links lead somewhere", async () => {
    const broken: string[] = [];
    for (const [, path = "", heading] of (await read(page)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/gu)) {
      const target = path === "" ? page : join(dirname(page), path);
      const exists = existsSync(join(root, target));
      const headings = exists && heading !== undefined ? [...(await read(target)).matchAll(/^#+ (.*)$/gmu)] : [];
      if (!exists || (heading !== undefined && !headings.some(([, text = ""]) => anchor(text) === heading)))
        broken.push(`${path}${heading === undefined ? "" : `#${heading}`}`);
    }
    expect(broken).toEqual([]);
  });

  test("the source files that it names are there", async () => {
    const layers = await readdir(join(root, "src"));
    const missing = [...(await read(page)).matchAll(/`([a-z]+)(\/[\w./-]+\.(?:ts|mjs|py|sh))`/gu)].flatMap(
      ([, folder = "", rest = ""]) => {
        const path = layers.includes(folder) ? `src/${folder}${rest}` : `${folder}${rest}`;
        return existsSync(join(root, folder)) || layers.includes(folder)
          ? existsSync(join(root, path))
            ? []
            : [path]
          : [];
      },
    );
    expect(missing).toEqual([]);
  });
});

test("docs/README.md names every page", async () => {
  const index = await read("docs/README.md");
  const unnamed = docs.filter(
    (page) => page !== "docs/README.md" && !index.includes(`](${page.slice("docs/".length)})`),
  );
  expect(unnamed).toEqual([]);
});
