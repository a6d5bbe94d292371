import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A path in this package, the same from the sources and from dist/: both lie two folders below its root. */
export function packagePath(...parts: readonly string[]): string {
  return join(fileURLToPath(new URL("../../", import.meta.url)), ...parts);
}
