import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseVaeConfig, type VaeConfig } from "../models/vae/config.ts";
import { ModelError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { openSafetensors, type SafetensorsFile } from "../tensor/safetensors.ts";
import { vaeParameters } from "./graphs.ts";
import { presentName } from "./names.ts";
import { VAE_PREFIX } from "./original/family.ts";
import { originalVaeName } from "./original/vae-names.ts";
import { partOfFile, sourcesOf } from "./original/view.ts";
import { openPart, partOf, type OpenOptions, type Part } from "./part.ts";
import { readConfig } from "./weights.ts";

/** A VAE apart from the checkpoint that it serves. */
export interface OtherVae {
  readonly part: Part<VaeConfig>;
  /** The file with its configuration; undefined where it has the checkpoint's own. */
  readonly configuration: string | undefined;
}

/**
 * Opens a VAE: a diffusers folder of one, or of a pipeline whose VAE is meant; or a .safetensors file in diffusers' layout or the original
 * code's, with or without its prefix, which is what A1111 and ComfyUI take. A file without a configuration beside it has that of the
 * checkpoint that it is for.
 * @param own the checkpoint's configuration
 * @throws ModelError when it is no VAE, or one of other shapes
 */
export async function openVae(path: string, own: VaeConfig, { warn }: OpenOptions): Promise<OtherVae> {
  if ((await stat(path).catch(() => undefined))?.isFile() === true) return openFile(path, own);
  const folder = (await exists(join(path, "vae", "config.json"))) ? join(path, "vae") : path;
  const config = parseVaeConfig(await readConfig(folder), join(folder, "config.json"));
  const options = { stem: "diffusion_pytorch_model", ...(warn && { warn }) } as const;
  const part = await openPart(folder, config, (held) => vaeParameters(config, held), options);
  return { part, configuration: join(folder, "config.json") };
}

async function openFile(path: string, own: VaeConfig): Promise<OtherVae> {
  const file = await openSafetensors(path);
  const beside = dirname(path);
  const json = await readConfig(beside).catch(() => undefined);
  const isVaes = json?.["_class_name"] === "AutoencoderKL";
  const configuration = isVaes ? join(beside, "config.json") : undefined;
  const config = configuration === undefined ? own : parseVaeConfig(json, configuration);
  const expected = vaeParameters(config, { where: path, tensors: file.tensors.size });
  const weights = partOfFile(file, sourcesOf(expected, prefixOf(file), namer(file, config)));
  return { part: await partOf(weights, config, expected), configuration };
}

/** @throws ModelError for what is no VAE */
function prefixOf(file: SafetensorsFile): string {
  const prefix = ["", VAE_PREFIX, "vae."].find((each) => file.tensors.has(`${each}decoder.conv_in.weight`));
  if (prefix === undefined)
    throw new ModelError(
      `${file.path}: expected a VAE (decoder.conv_in.weight), found ${[...file.tensors.keys()].slice(0, 3).join(", ")}`,
    );
  return prefix;
}

/** Where a parameter lies behind the prefix: under diffusers' names of today or of its first years, or the original's. */
function namer(file: SafetensorsFile, { blockOutChannels }: VaeConfig): (name: string) => { readonly name: string } {
  const prefix = prefixOf(file);
  const names = new Map(
    [...file.tensors.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => [presentName(name.slice(prefix.length)), name.slice(prefix.length)]),
  );
  const isDiffusers = [...names.keys()].some((name) => name.startsWith("decoder.up_blocks."));
  if (!isDiffusers) return (name) => ({ name: originalVaeName(name, blockOutChannels.length) });
  return (name) => ({ name: names.get(name) ?? name });
}
