import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";

/** Which folders of `src/` a folder imports from, by its name; folders stand in the order of the list of layers, lowest first. */
export type Imports = ReadonlyMap<string, ReadonlySet<string>>;

/** The folders of `src/` that `eslint.config.js` lists as layers, in its order, as far as they exist. */
export async function readLayers(root: string): Promise<string[]> {
  const config = await readFile(join(root, "eslint.config.js"), "utf8");
  const list = /^const layers = \[([^\]]*)\]/mu.exec(config)?.[1];
  if (list === undefined) throw new Error('eslint.config.js: expected a list "const layers = [...]"');
  const entries = await readdir(join(root, "src"), { withFileTypes: true });
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name));
  const listed = [...list.matchAll(/"([^"]+)"/gu)].flatMap(([, name]) => name ?? []);
  const unlisted = [...folders].filter((folder) => !listed.includes(folder));
  if (unlisted.length > 0) throw new Error(`eslint.config.js: the list of layers lacks ${unlisted.join(", ")}`);
  return listed.filter((layer) => folders.has(layer));
}

/** The imports between layers of all files but tests, types included. */
export async function readImports(root: string, layers: readonly string[]): Promise<Imports> {
  const imports = new Map<string, ReadonlySet<string>>();
  for (const layer of layers) {
    const found = new Set<string>();
    for (const file of await readdir(join(root, "src", layer), { recursive: true })) {
      if (!file.endsWith(".ts") || file.endsWith(".test.ts") || file.includes("testing")) continue;
      const text = await readFile(join(root, "src", layer, file), "utf8");
      for (const { fileName } of ts.preProcessFile(text).importedFiles) {
        if (!fileName.startsWith("..")) continue;
        const target = new URL(fileName, `file:///${layer}/${file.replaceAll("\\", "/")}`).pathname.split("/")[1];
        if (target !== undefined && target !== layer && layers.includes(target)) found.add(target);
      }
    }
    imports.set(layer, found);
  }
  return imports;
}

/**
 * The imports that do not follow from others: where a imports b and b, by whatever way, c, "a imports c" is left out.
 * An import against the order of the layers is always kept.
 */
export function reduced(imports: Imports): Imports {
  const order = [...imports.keys()];
  const below = (layer: string) =>
    [...(imports.get(layer) ?? [])].filter((other) => order.indexOf(other) < order.indexOf(layer));
  const reaches = (from: string, to: string): boolean => below(from).some((next) => next === to || reaches(next, to));
  const kept = (layer: string) =>
    [...(imports.get(layer) ?? [])].filter(
      (target) => !below(layer).some((other) => other !== target && reaches(other, target)),
    );
  return new Map(order.map((layer) => [layer, new Set(kept(layer))]));
}

/** A Mermaid flowchart, which GitHub draws: what imports stands above what it imports. Names end in "_", for "graph" is a word of Mermaid's own. */
export function mermaid(imports: Imports): string {
  const order = [...imports.keys()].reverse();
  const boxes = order.map((layer) => `  ${layer}_["${layer}/"]`);
  const arrows = order.flatMap((layer) => {
    const targets = order.filter((other) => imports.get(layer)?.has(other));
    return targets.length > 0 ? [`  ${layer}_ --> ${targets.map((target) => `${target}_`).join(" & ")}`] : [];
  });
  return ["```mermaid", "flowchart TB", ...boxes, ...arrows, "```"].join("\n");
}

const BLOCK = /(<!-- npm run layers -->\n).*?(<!-- end -->)/su;

/** `page` with the picture of `imports` between its two marks, `<!-- npm run layers -->` and `<!-- end -->`. */
export function withPicture(page: string, imports: Imports): string {
  if (!BLOCK.test(page))
    throw new Error('docs/README.md: expected the marks "<!-- npm run layers -->" and "<!-- end -->"');
  return page.replace(BLOCK, `$1\n${mermaid(reduced(imports))}\n\n$2`);
}
