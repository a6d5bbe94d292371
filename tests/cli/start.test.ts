import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../run/cli.ts";

/** What each of these files imports, directly or not, before it has run: packages by name. */
async function packagesOf<Name extends string>(names: readonly Name[]): Promise<Record<Name, Set<string>>> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => `src/${name}.ts`),
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outbase: "src",
    outdir: "out",
  });
  const packages = (name: Name): Set<string> => {
    const loaded = new Set<string>();
    const follow = (path: string): void => {
      for (const { path: next, kind, external } of metafile.outputs[path]?.imports ?? []) {
        if (kind !== "import-statement" || loaded.has(next)) continue;
        loaded.add(next);
        if (external !== true) follow(next);
      }
    };
    follow(`out/${name}.js`);
    return loaded;
  };
  return Object.fromEntries(names.map((name) => [name, packages(name)])) as Record<Name, Set<string>>;
}

const NATIVE = ["sharp", "onnxruntime-node", "bullmq"];
/** What graphs are written with and texts are read with: models bring them. */
const MODELS = ["@bufbuild/protobuf/wire", "@huggingface/tokenizers"];

test("help, wrong usage, rpo doctor and the library load nothing native: they answer at once, and where it is missing", async () => {
  const loaded = await packagesOf(["cli/main", "cli/doctor", "library/index"]);
  expect(loaded["cli/main"]).toContain("commander");
  for (const packages of Object.values(loaded)) expect(NATIVE.filter((name) => packages.has(name))).toEqual([]);
});

test("commands check what they were given before they load models or libvips", async () => {
  const loaded = await packagesOf([
    "cli/train",
    "cli/judge",
    "cli/select",
    "cli/export",
    "cli/report",
    "cli/evaluate",
    "cli/demo",
    "engine/worker",
  ]);
  expect(loaded["cli/train"]).toContain("zod");
  for (const [name, packages] of Object.entries(loaded))
    expect(
      [...NATIVE, ...MODELS].filter((each) => packages.has(each)),
      name,
    ).toEqual([]);
});

test("the command line's libvips draws no SVG file, but the rendered world", async () => {
  const script = `
    process.argv.push("--version");
    await import("./dist/cli/main.js");
    const { default: sharp } = await import("sharp");
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const attempt = () => sharp(svg).metadata().then(() => "drawn", ({ message }) => message);
    const before = await attempt();
    const { renderScenes } = await import("./dist/world/render.js");
    const { photoScenes, SUBJECTS } = await import("./dist/world/subjects.js");
    console.log(JSON.stringify([before, (await renderScenes(photoScenes(SUBJECTS[0]).slice(0, 1))).length]));`;
  const args = ["--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual([
    "Input buffer contains unsupported image format",
    1,
  ]);
});
