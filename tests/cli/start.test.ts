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
