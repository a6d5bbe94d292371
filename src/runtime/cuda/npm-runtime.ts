import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseJson } from "../../system/json.ts";
import { readBytesSync, MOST_BYTES } from "../../system/regular-files.ts";

/** ONNX Runtime's library as it comes from npm, which is not loaded by asking for it. */
export interface NpmRuntime {
  /** "1.30.0" */
  readonly version: string;
  /** The library, beside which it looks for its providers. */
  readonly path: string;
}

const manifest = z.object({ version: z.string().regex(/^\d+\.\d+\.\d+$/) });

/** What the library is called where CUDA's provider is to be had. */
const LIBRARIES: Readonly<Record<string, string>> = { linux: "libonnxruntime.so.1", win32: "onnxruntime.dll" };

/** @throws Error when the package is not there, or not as it should be */
export function npmRuntime(): NpmRuntime {
  const path = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  const { version } = manifest.parse(parseJson(readBytesSync(path, { atMost: MOST_BYTES.text }).toString("utf8")));
  const library = LIBRARIES[process.platform] ?? "libonnxruntime.dylib";
  return { version, path: join(dirname(path), "bin", "napi-v6", process.platform, process.arch, library) };
}
