import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** Bytes that a user may write where a folder is or will be; infinite where the file system does not count. */
export async function freeBytesAt(folder: string): Promise<number> {
  for (let at = folder; ; at = dirname(at)) {
    const info = await statfs(at).catch(() => undefined);
    if (info !== undefined) return info.blocks === 0 ? Infinity : info.bavail * info.bsize;
    if (dirname(at) === at) return Infinity;
  }
}
