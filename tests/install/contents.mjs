// Checks what is in the package: node tests/install/contents.mjs rpo-0.1.0.tgz
// Every module that the programs reach must be there; what else there is besides the files listed here is told.
import { execFileSync } from "node:child_process";
import { build } from "esbuild";

const PROGRAMS = [
  "src/cli/main.ts",
  "src/library/index.ts",
  "src/engine/worker.ts",
  "src/doctor/engine-probe.ts",
  "src/runtime/trial/probe.ts",
  "src/doctor/cuda-probe.ts",
  "src/doctor/openvino-probe.ts",
];
const BESIDES = [
  /^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/,
  /^dist\/report\/page\/report\.(css|js)$/,
  /^models\//,
  // tests/library/public.test.ts knows which
  /^dist\/.*\.d\.ts$/,
];
/** Registries and proxies take far more, but nobody should wait: the code is half a megabyte, the embedded models the rest. */
const MOST_MEGABYTES = 100;

const [tarball] = process.argv.slice(2);
const listed = execFileSync("tar", ["-tzvf", tarball], { encoding: "utf8", maxBuffer: 2 ** 26 })
  .trim()
  .split("\n");
const files = new Map(
  listed.map((line) => {
    const [, , size, , , ...path] = line.split(/\s+/);
    return [path.join(" ").replace(/^package\//, ""), Number(size)];
  }),
);

const { metafile } = await build({
  entryPoints: PROGRAMS,
  bundle: true,
  splitting: true,
  write: false,
  metafile: true,
  platform: "node",
  format: "esm",
  packages: "external",
  outdir: "out",
  logLevel: "error",
});
const reached = new Set(Object.keys(metafile.inputs).map((path) => path.replace(/^src\/(.*)\.ts$/, "dist/$1.js")));
const missing = [...reached].filter((path) => !files.has(path));
// modules of types alone are empty, and nobody imports them when types are gone
const EMPTY_BYTES = 40;
const idle = [...files].filter(
  ([path, size]) => !reached.has(path) && !BESIDES.some((known) => known.test(path)) && size > EMPTY_BYTES,
);

const total = [...files.values()].reduce((sum, size) => sum + size, 0) / 1e6;
process.stderr.write(`${files.size} files, ${total.toFixed(1)} MB\n`);
for (const path of missing) process.stderr.write(`missing from the package: ${path}\n`);
for (const [path] of idle) process.stderr.write(`in the package, but not needed: ${path}\n`);
if (total > MOST_MEGABYTES) process.stderr.write(`more than ${MOST_MEGABYTES} MB\n`);
process.exitCode = missing.length > 0 || total > MOST_MEGABYTES ? 1 : 0;
