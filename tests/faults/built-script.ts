import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import { root, temporaryFolder } from "../run/cli.ts";

/** A script in TypeScript that imports from src/, as JavaScript whose imports are what was built of that in dist/. @returns its path */
export async function builtScript(path: string): Promise<string> {
  const outfile = join(await temporaryFolder(), "script.mjs");
  await bundle({
    entryPoints: [path],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    plugins: [
      {
        name: "src is dist",
        setup(build) {
          build.onResolve({ filter: /^\.\.\/.*\/src\/.*\.ts$/ }, ({ path: file, resolveDir }) => {
            const place = relative(join(root, "src"), join(resolveDir, file)).replace(/\.ts$/, ".js");
            return { path: pathToFileURL(join(root, "dist", place)).href, external: true };
          });
        },
      },
    ],
  });
  return outfile;
}
