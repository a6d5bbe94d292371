import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isCheckpointFolder } from "./names.ts";

/** What the files of a checkpoint are like just now, so that a change of any of them is seen without reading them. */

/** Files of one checkpoint that are looked at; more is no checkpoint. */
const MOST_FILES = 10_000;

/** Files and folders of a checkpoint in a trainer's output folder, beside those of others. */
const KNOWN =
  /^(?:pytorch_lora_weights|adapter_model|diffusion_pytorch_model[\w.-]*)\.safetensors(?:\.index\.json)?$|^(?:adapter_config|config|model_index)\.json$/;
const PARTS = /^(?:unet|vae|text_encoder|text_encoder_2|tokenizer|tokenizer_2|scheduler|lora)$/;

/** What can be seen of a checkpoint without reading it. */
export interface Stamp {
  /** Names, sizes, times of change and numbers of all of its files: another one when any has changed. */
  readonly text: string;
  /** When the last of them was changed, in milliseconds as Date.now() has them. */
  readonly changedAt: number;
}

/** @param path of a file or folder. @returns undefined where it is not there */
export async function stampOf(path: string): Promise<Stamp | undefined> {
  const lines: string[] = [];
  let changedAt = 0;
  const note = (file: string, { size, mtimeMs, ino }: { size: number; mtimeMs: number; ino: number }): void => {
    lines.push(`${file} ${size} ${mtimeMs} ${ino}`);
    changedAt = Math.max(changedAt, mtimeMs);
  };
  const isOwn = isCheckpointFolder(basename(path));
  const walk = async (at: string, isWanted: (name: string, isFolder: boolean) => boolean): Promise<void> => {
    const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
    for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (lines.length >= MOST_FILES) return;
      const file = join(at, name);
      // what links lead to counts
      const info = await stat(file).catch(() => undefined);
      if (info === undefined || !isWanted(name, info.isDirectory())) continue;
      note(file, info);
      if (info.isDirectory()) await walk(file, () => true);
    }
  };
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return undefined;
  if (isOwn || !info.isDirectory()) note(path, info);
  if (info.isDirectory())
    await walk(path, isOwn ? () => true : (name, isFolder) => (isFolder ? PARTS : KNOWN).test(name));
  return { text: lines.join("\n"), changedAt };
}
