import { beginsAsSafetensors, otherKind } from "../tensor/not-safetensors.ts";
import { readBeginning } from "../system/regular-files.ts";
import { isPickle, singleFileHint } from "./pickle.ts";

const LOOKED_AT = 9;

/** Whether a file is a safetensors file by its content, whatever it is called. */
export async function isSafetensors(path: string): Promise<boolean> {
  return beginsAsSafetensors(await beginningOf(path));
}

/**
 * What a file is that is given for a model and is not called .safetensors, in words that follow "it is".
 * @param pickleHint what to do with a pickle. Default: what to do with a whole checkpoint
 */
export async function describeModelFile(path: string, pickleHint = singleFileHint): Promise<string> {
  const beginning = await beginningOf(path);
  if (/\.(?:part|partial|crdownload|download|opdownload|aria2|tmp|incomplete)$/i.test(path))
    return "a download that is not finished, by its name; download it anew";
  if (beginsAsSafetensors(beginning))
    return "a safetensors file under another name: give it one that ends in .safetensors";
  if (isPickle(path)) return pickleHint(path);
  if (beginning.toString("latin1", 0, 4) === "PK\x03\x04") return "a zip archive: unpack it, and give what was in it";
  return otherKind(beginning.subarray(0, 8))?.replace("this is ", "") ?? "another file";
}

/** The first bytes; none of what cannot be read. */
async function beginningOf(path: string): Promise<Buffer> {
  return readBeginning(path, LOOKED_AT).catch(() => Buffer.alloc(0));
}
