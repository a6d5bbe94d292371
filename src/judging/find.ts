import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CHECKPOINTS, holdsRun } from "../runs/folder.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import { escapePattern } from "../system/patterns.ts";
import { isCheckpointFolder } from "./names.ts";

/** Where checkpoints are: files, folders, and paths with wildcards, which are looked up anew each time. */

/** Entries of one folder that are looked through: more is no trainer's output. */
const MOST_ENTRIES = 100_000;
/** Checkpoints of one training. */
const MOST_CHECKPOINTS = 1000;

/**
 * The paths that could be checkpoints, sorted: of a file or pattern what it names, of a folder those in it.
 * @param wanted as they were given
 * @param options.mayCome whether what is not there may come later
 * @throws UsageError where a path without wildcards is not there, or there are too many
 */
export async function findCheckpoints(
  wanted: readonly string[],
  { mayCome = false }: { readonly mayCome?: boolean } = {},
): Promise<string[]> {
  const found = new Set<string>();
  for (const each of wanted)
    for (const path of await matching(each, mayCome)) for (const one of await within(path)) found.add(one);
  if (found.size > MOST_CHECKPOINTS)
    throw new UsageError(
      say`${setting("checkpoints", wanted[0])}: ${found.size} files, expected at most ${MOST_CHECKPOINTS} checkpoints of one training`,
    );
  return [...found].sort();
}

const WILDCARD = /[*?]/;

/** What a path with wildcards matches. A path that is there is itself, whatever is in its name. @throws UsageError when there is no such file */
async function matching(wanted: string, mayCome: boolean): Promise<string[]> {
  const whole = resolve(wanted);
  if (await exists(whole)) return [whole];
  if (!WILDCARD.test(wanted) && mayCome) return [];
  if (!WILDCARD.test(wanted)) throw new UsageError(say`${setting("checkpoints", wanted)}: no such file or folder`);
  const [root, ...segments] = whole.split(/[\\/]/);
  let paths = [`${root}/`];
  for (const segment of segments) {
    if (!WILDCARD.test(segment)) {
      paths = paths.map((path) => join(path, segment));
      continue;
    }
    const pattern = patternOf(segment);
    const next: string[] = [];
    for (const path of paths)
      for (const name of await namesIn(path)) if (pattern.test(name)) next.push(join(path, name));
    paths = next;
  }
  const there: string[] = [];
  for (const path of paths) if (await exists(path)) there.push(path);
  return there;
}

/** What a segment with wildcards stands for; * and ? stand for no leading dot, as in shells. */
function patternOf(segment: string): RegExp {
  const source = escapePattern(segment).replaceAll("\\*", "[^/\\\\]*").replaceAll("\\?", "[^/\\\\]");
  return new RegExp(`^${segment.startsWith(".") ? "" : "(?!\\.)"}${source}$`);
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  if (names.length > MOST_ENTRIES)
    throw new UsageError(
      say`${setting("checkpoints", folder)}: ${names.length} files in it, expected at most ${MOST_ENTRIES}`,
    );
  return names;
}

/** Folders of a trainer's output in which its checkpoints lie: ours, OneTrainer's. */
const INNER = [CHECKPOINTS, "save", "backup"];

/** The checkpoints of a file (itself) or folder: a checkpoint's own, or a trainer's output. */
async function within(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return [];
  if (!info.isDirectory()) return isWeights(path) ? [path] : [];
  if (/[-.]tmp$/.test(path)) return []; // as SimpleTuner calls what it has not finished
  // one that is called by a number alone may be of a day, and hold a trainer's output
  const name = basename(path);
  if (isCheckpointFolder(name) && (!/^\d+$/.test(name) || (await isOwnCheckpoint(path)))) return [path];
  if (await holdsRun(path)) return childrenOf(join(path, CHECKPOINTS));
  const children = await childrenOf(path);
  for (const name of INNER) children.push(...(await childrenOf(join(path, name))));
  return (await isOwnCheckpoint(path)) ? [...children, path] : children;
}

/** Files that say what the folder is that they are in. */
const OWN_FILES = [
  "pytorch_lora_weights.safetensors",
  "adapter_model.safetensors",
  "diffusion_pytorch_model.safetensors",
  "diffusion_pytorch_model.safetensors.index.json",
  "model_index.json",
];

/** Whether a folder is a checkpoint itself: that of the last step, beside those of others. */
async function isOwnCheckpoint(folder: string): Promise<boolean> {
  for (const name of OWN_FILES) if (await exists(join(folder, name))) return true;
  return false;
}

/**
 * Whether what was judged is a checkpoint's: the file or folder itself, or what trainers call its weights in it. Other checkpoints may lie in a
 * folder that is one itself.
 * @param place as it was found
 * @param path as it is read: see lookAt
 */
export function isCheckpoints(place: string, path: string): boolean {
  if (path === place) return true;
  const begin = join(place, "/");
  if (!path.startsWith(begin)) return false;
  const [first, ...more] = path.slice(begin.length).split(/[\\/]/);
  if (first === "unet" || first === "lora") return true;
  if (more.length > 0) return false;
  // in a folder that trainers make for one checkpoint, its weights have any name
  return OWN_FILES.includes(first) || isCheckpointFolder(basename(place));
}

/** Checkpoints right in a folder. */
async function childrenOf(folder: string): Promise<string[]> {
  const children: string[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    if (isCheckpointFolder(name) || (isWeights(name) && !OWN_FILES.includes(name))) children.push(path);
  }
  return children;
}

/** A file of another program's that may be a checkpoint; one whose name begins with a dot is not finished, and a part of several none by itself. */
function isWeights(path: string): boolean {
  const name = basename(path);
  return (
    name.endsWith(".safetensors") &&
    !name.startsWith(".") &&
    !/^(?:optimizer|state|random_states|scaler)\b|-\d{5}-of-\d{5}\.safetensors$/.test(name)
  );
}

/** A checkpoint's name as its trainer gave it: of a folder with one known file that of the folder. */
export function nameOf(path: string): string {
  const name = basename(path);
  if (OWN_FILES.includes(name)) return basename(dirname(path));
  return name.replace(/\.safetensors$/, "");
}
