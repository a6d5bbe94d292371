import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../run/cli.ts";

test("help, wrong usage, rpo doctor and the library load nothing native: they answer at once, and where it is missing", async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/main.ts", "src/cli/doctor.ts", "src/library/index.ts"],
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outdir: "out",
  });
  const loaded = new Set<string>();
  const follow = (path: string): void => {
    for (const { path: next, kind, external } of metafile.outputs[path]?.imports ?? []) {
      if (kind !== "import-statement" || loaded.has(next)) continue;
      loaded.add(next);
      if (external !== true) follow(next);
    }
  };
  for (const name of ["cli/main", "cli/doctor", "library/index"]) follow(`out/${name}.js`);
  expect(loaded).toContain("commander");
  for (const native of ["sharp", "onnxruntime-node", "bullmq"]) expect(loaded).not.toContain(native);
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
