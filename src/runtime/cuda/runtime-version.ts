import { createRequire } from "node:module";
import { z } from "zod";
import { parseJson } from "../../system/json.ts";
import { readTextSync } from "../../system/regular-files.ts";

const manifest = z.object({ version: z.string().regex(/^\d+\.\d+\.\d+$/) });

/** The version of ONNX Runtime that comes from npm, whose library is not loaded for it. @throws Error when the package is not as it should be */
export function runtimeVersion(): string {
  const path = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  return manifest.parse(parseJson(readTextSync(path))).version;
}
