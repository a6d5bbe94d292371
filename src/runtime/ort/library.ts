import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UsageError } from "../../system/errors.ts";
import { openOrt, type Ort } from "./api.ts";

/** The library that npm's package carries for this system. Its JavaScript is not used. */

const FILES: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: "libonnxruntime.so.1",
  darwin: "libonnxruntime.1.dylib",
  win32: "onnxruntime.dll",
};

/** @throws UsageError when there is none for this system */
export function packagedLibrary(): string {
  const { platform, arch } = process;
  // Only a require that fails can be caught for sure: an import of CommonJS may end the process (Node 20).
  const bin = join(dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")), "bin");
  const [binding = ""] = readdirSync(bin).filter((name) => name.startsWith("napi-"));
  const folder = join(bin, binding, platform, arch);
  const file = FILES[platform];
  if (file === undefined || !canList(folder))
    throw new UsageError(`ONNX Runtime has no library for ${platform} ${arch}: see docs/installation.md`);
  return join(folder, file);
}

function canList(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}

/** @throws UsageError; Error in the system's words when it cannot be loaded */
export function packagedOrt(): Ort {
  return openOrt(packagedLibrary());
}
