import { readConfig } from "../checkpoints/weights.ts";
import { classOf } from "../checkpoints/pickle.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { isPickle } from "./converted.ts";
import type { HubFile } from "./listing.ts";
import { nameOf } from "./names.ts";
import type { Repository } from "./repository.ts";
import { firstFile, namesIn, partsOf, promptFiles, smallFiles, weightFiles, type ModelKind } from "./selection.ts";

/** Small files come before it is known what a model is, and whether there is room; the largest vocabularies have some 30 MB. */
const MOST_SMALL_BYTES = 64 * 2 ** 20;

/** Which files of a model are asked for. */
export interface WantedFiles {
  readonly kind: ModelKind;
  /** Such as "fp16"; undefined: the plain files, or a variant where there is nothing else. */
  readonly variant?: string | undefined;
  /** Looks at the configuration before the weights are fetched. @throws UsageError, ModelError when it will not do */
  readonly check?: ((folder: string) => Promise<void>) | undefined;
}

/** What is to be fetched of a commit. */
export interface Plan {
  readonly repository: Repository;
  readonly weights: readonly HubFile[];
}

/** A commit without weights in safetensors, but with pickles. */
export interface OnlyPickles {
  readonly pickle: string;
  /** What Python would import to convert it. */
  readonly pythonClass: string;
}

/**
 * Fetches a model's small files and says which weights it needs besides.
 * @throws UsageError when it is no model of the kind, lacks the variant or has no weights
 */
export async function planModel(
  repository: Repository,
  { kind, variant, check }: WantedFiles,
): Promise<Plan | OnlyPickles> {
  const { name, paths, folder } = repository;
  const bring = async (wanted: readonly string[]): Promise<void> => {
    const files = await repository.lacking(wanted);
    const large = files.find(({ size }) => size > MOST_SMALL_BYTES);
    if (large !== undefined)
      throw new ModelError(
        `${nameOf(name)}: ${large.path} has ${large.size} bytes, expected at most ${MOST_SMALL_BYTES} of a configuration or a vocabulary`,
      );
    for (const file of files) await repository.fetch(file);
  };
  const first = firstFile(kind);
  if (!paths.includes(first)) throw new UsageError(`${nameOf(name)}: ${whatItIs(paths, first)}`);
  await bring([first]);
  const parts = await partsOf(kind, folder);
  await bring(smallFiles(paths, parts, variant));
  await bring(await promptFiles(paths, folder));
  await check?.(folder);

  const weights: string[] = [];
  for (const place of parts.weights) {
    const files = await weightFiles(paths, place, { folder, variant });
    if (files !== undefined) {
      weights.push(...files);
      continue;
    }
    const names = namesIn(paths, place.folder);
    const others = names.filter((each) => each.endsWith(".safetensors"));
    const where = place.folder === "" ? "" : `${place.folder}/`;
    const pickle = names.find(isPickle);
    if (others.length === 0 && pickle !== undefined)
      return { pickle: where + pickle, pythonClass: await pythonClassOf(kind, folder) };
    const wanted = `${where}${place.stem}.${variant === undefined ? "" : `${variant}.`}safetensors`;
    throw new UsageError(
      `${nameOf(name)}: expected ${wanted}, found ${others.length > 0 ? `only ${others.slice(0, 3).join(", ")}` : "no weights"}`,
    );
  }
  return { repository, weights: await repository.lacking(weights) };
}

function whatItIs(paths: readonly string[], first: string): string {
  if (first !== "model_index.json") return `no ${first} in it, expected a transformers model`;
  const single = namesIn(paths, "").find((name) => /\.(safetensors|ckpt)$/.test(name));
  const found =
    single !== undefined
      ? `; ${single} is a checkpoint in one file, which is to be converted to a diffusers folder first`
      : paths.includes("config.json")
        ? "; it is one model and no pipeline"
        : "";
  return `no model_index.json in it, expected a diffusers pipeline${found}`;
}

async function pythonClassOf(kind: ModelKind, folder: string): Promise<string> {
  if (kind !== "diffusers") return classOf(folder);
  const index = await readConfig(folder, "model_index.json");
  return `diffusers import ${String(index["_class_name"])}`;
}
