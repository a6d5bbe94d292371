import { join } from "node:path";
import { readText } from "../system/regular-files.ts";

/**
 * Why a folder that holds only pickled weights is refused, with the command that converts it; undefined if it holds none.
 *
 * Unpickling runs code of the file's author, so that such files are never read.
 */
export async function pickleRefusal(
  folder: string,
  present: readonly string[],
  wanted: string,
): Promise<string | undefined> {
  const pickle = present.find((name) => /\.(bin|ckpt|pt|pth|pkl)$/.test(name));
  if (pickle === undefined) return undefined;
  const command = pickle.endsWith(".ckpt")
    ? `from diffusers import StableDiffusionPipeline as M; M.from_single_file(r'${join(folder, pickle)}').save_pretrained('converted')`
    : `from ${await classOf(folder)} as M; M.from_pretrained(r'${folder}').save_pretrained(r'${folder}', safe_serialization=True)`;
  return [
    `${folder}: expected ${wanted}, found only ${pickle}, a pickle file, which can run code and is never read.`,
    `Convert it, if you trust its author: python -c "${command}"`,
  ].join("\n");
}

/** What to do with a pickled checkpoint in one file. */
export function singleFileHint(path: string): string {
  return `a pickled checkpoint in one file, which can run code and is never read; convert it, if you trust its author: python -c "from diffusers import StableDiffusionPipeline as M; M.from_single_file(r'${path}').save_pretrained('converted')"`;
}

/** The Python class that the folder's config names, as an import. */
export async function classOf(folder: string): Promise<string> {
  try {
    const config = JSON.parse(await readText(join(folder, "config.json"))) as {
      _class_name?: unknown;
      architectures?: unknown;
    };
    const isName = (value: unknown): value is string => typeof value === "string" && /^[A-Za-z]\w*$/.test(value);
    if (isName(config._class_name)) return `diffusers import ${config._class_name}`;
    const architecture: unknown = Array.isArray(config.architectures) ? config.architectures[0] : undefined;
    if (isName(architecture)) return `transformers import ${architecture}`;
  } catch {
    // the hint is then a general one; whoever reads the config reports what is wrong with it
  }
  return "transformers import AutoModel";
}
