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
  const pickle = present.find(isPickle);
  if (pickle === undefined) return undefined;
  const command = pickle.endsWith(".ckpt")
    ? `from diffusers import StableDiffusionPipeline as M; M.from_single_file(r'${join(folder, pickle)}').save_pretrained('converted')`
    : `from ${await classOf(folder)} as M; M.from_pretrained(r'${folder}').save_pretrained(r'${folder}', safe_serialization=True)`;
  return [
    `${folder}: expected ${wanted}, found only ${pickle}, a pickle file, which can run code and is never read.`,
    `Convert it, if you trust its author: python -c "${command}"`,
  ].join("\n");
}

/** Whether a file's name is one that PyTorch's pickles have. */
export function isPickle(name: string): boolean {
  return /\.(bin|ckpt|pt|pth|pkl)$/i.test(name);
}

/** What to do with pickled tensors by name, such as a LoRA's or a VAE's; trainers put them below `state_dict`. PyTorch reads them with `weights_only`, which runs nothing. */
export function pickledTensorsHint(path: string): string {
  const output = path.replace(/\.\w+$/, ".safetensors");
  return `a pickle file, which can run code and is not read here; make a safetensors file of it: python -c "import torch; from safetensors.torch import save_file; d = torch.load(r'${path}', map_location='cpu', weights_only=True); save_file({k: v.contiguous() for k, v in d.get('state_dict', d).items() if hasattr(v, 'contiguous')}, r'${output}')"`;
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
