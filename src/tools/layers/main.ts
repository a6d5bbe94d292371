import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readImports, readLayers, withPicture } from "./layers.ts";

/** `npm run layers`: draws the layers of `src/` and the imports between them into `docs/README.md`. */
const root = process.cwd();
const path = join(root, "docs/README.md");
const imports = await readImports(root, await readLayers(root));
await writeFile(path, withPicture(await readFile(path, "utf8"), imports));
